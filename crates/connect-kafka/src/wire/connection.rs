//! One connection to one broker.

use super::error::WireError;
use super::frame;
use super::settings::{WireSettings, address};
use super::versions::{Call, Versions};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::{Decodable, StrBytes};
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

#[derive(Debug)]
pub(crate) struct Connection {
    address: String,
    stream: TcpStream,
    versions: Versions,
    client_id: String,
    correlation: i32,
    /// Nothing is under way, and nothing went wrong.
    usable: bool,
}

impl Connection {
    /// Connects to the first address of the host that answers, and asks for the versions it knows.
    pub(crate) async fn open(settings: &WireSettings, host: &str, port: u16) -> Result<Self, WireError> {
        let address = address(host, port);
        let stream = connect(host, port, settings.connect_timeout)
            .await
            .map_err(|source| WireError::Unreachable { address: address.clone(), source })?;
        let mut connection = Self {
            address,
            stream,
            versions: Versions::default(),
            client_id: settings.client_id.clone(),
            correlation: 0,
            usable: true,
        };
        connection.versions = connection.ask_versions(settings.connect_timeout).await?;
        Ok(connection)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Whether another request can be sent. Not after an error, and not after a call that was given up.
    pub(crate) fn usable(&self) -> bool {
        self.usable
    }

    /// The version in which this request will be understood.
    pub(crate) fn version<C: Call>(&self) -> Result<i16, WireError> {
        let unsupported = || WireError::Unsupported { address: self.address.clone(), call: C::NAME };
        self.versions.choose::<C>().ok_or_else(unsupported)
    }

    /// Sends the request and waits for its answer. The connection is of no more use when this fails or is dropped.
    pub(crate) async fn call<C: Call>(
        &mut self,
        request: &C,
        version: i16,
        patience: Duration,
    ) -> Result<C::Answer, WireError> {
        let frame = self.exchange(request, version, patience).await?;
        frame::answer::<C>(frame, version, self.correlation).map_err(|what| self.strange(what))
    }

    async fn exchange<C: Call>(
        &mut self,
        request: &C,
        version: i16,
        patience: Duration,
    ) -> Result<bytes::Bytes, WireError> {
        if !self.usable {
            return Err(self.broken(io::ErrorKind::NotConnected.into()));
        }
        self.correlation = self.correlation.wrapping_add(1);
        let frame = frame::request(request, version, self.correlation, &self.client_id)
            .map_err(|what| WireError::Strange { address: self.address.clone(), what })?;
        self.usable = false;
        let answer = timeout(patience, async {
            self.stream.write_all(&frame).await?;
            frame::read(&mut self.stream).await
        });
        match answer.await {
            Ok(Ok(frame)) => {
                self.usable = true;
                Ok(frame)
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.strange(error.to_string()))
            }
            Ok(Err(error)) => Err(self.broken(error)),
            Err(_) => Err(WireError::Silent { address: self.address.clone(), call: C::NAME, patience }),
        }
    }

    /// KIP-511: a broker that does not know this version of the question answers in version 0 and says so.
    async fn ask_versions(&mut self, patience: Duration) -> Result<Versions, WireError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        for version in [3, 0] {
            let mut frame = self.exchange(&request, version, patience).await?;
            frame::body::<ApiVersionsRequest>(&mut frame, version, self.correlation)
                .map_err(|what| self.strange(what))?;
            let unsupported =
                frame.get(..2) == Some(&ResponseError::UnsupportedVersion.code().to_be_bytes()[..]);
            if unsupported && version > 0 {
                continue;
            }
            let answer = ApiVersionsResponse::decode(&mut frame, version).map_err(|error| {
                self.strange(format!("the answer to ApiVersions cannot be read: {error}"))
            })?;
            super::error::check("ApiVersions", answer.error_code)?;
            return Ok(Versions::read(&answer));
        }
        Err(self.strange("it knows no version of ApiVersions".to_owned()))
    }

    fn broken(&self, source: io::Error) -> WireError {
        WireError::Broken { address: self.address.clone(), source }
    }

    fn strange(&mut self, what: String) -> WireError {
        self.usable = false;
        WireError::Strange { address: self.address.clone(), what }
    }
}

/// Each address of the name in turn (`client.dns.lookup=use_all_dns_ips`).
async fn connect(host: &str, port: u16, patience: Duration) -> io::Result<TcpStream> {
    let late = |what: &str| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"));
    let addresses = timeout(patience, lookup_host((host, port)))
        .await
        .unwrap_or_else(|_| Err(late("looking up the name")))?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = late("connecting"),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests;

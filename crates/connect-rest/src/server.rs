//! The listening sockets.

use crate::routes::configure;
use actix_web::dev::Server;
use actix_web::{App, HttpServer};
use connect_runtime::herder::Herder;
use connect_runtime::worker_config::Listener;
use futures::future::Either;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// A listener of the configuration that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({reason}): {remedy}")]
pub struct BindError {
    pub address: String,
    pub reason: String,
    pub remedy: &'static str,
}

/// Sockets that accept connections already; [`serve`] answers them.
pub struct Listening {
    sockets: Vec<TcpListener>,
    /// Where they listen, with the ports that the system chose.
    pub addresses: Vec<SocketAddr>,
}

/// Opens all listeners, or none.
pub fn bind(listeners: &[Listener]) -> Result<Listening, BindError> {
    let mut listening = Listening { sockets: Vec::new(), addresses: Vec::new() };
    for listener in listeners {
        let open = || -> io::Result<(TcpListener, SocketAddr)> {
            let socket = TcpListener::bind((listener.host.as_str(), listener.port))?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) = open().map_err(|error| BindError {
            address: format!("{}:{}", listener.host, listener.port),
            remedy: match error.kind() {
                io::ErrorKind::AddrInUse => "stop the program that has it, or name another port in listeners",
                io::ErrorKind::PermissionDenied => "name a port from 1024 on in listeners",
                _ => "name an address of this machine in listeners",
            },
            reason: error.to_string(),
        })?;
        listening.sockets.push(socket);
        listening.addresses.push(address);
    }
    Ok(listening)
}

/// Answers requests until `shutdown` is there, then finishes those it has. The future does the work.
pub fn serve(
    listening: Listening,
    herder: Arc<dyn Herder>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<impl Future<Output = io::Result<()>> + Send + 'static> {
    let server = start(listening, herder)?;
    let handle = server.handle();
    Ok(async move {
        let stop = async move {
            shutdown.await;
            handle.stop(true).await;
            // The server ends by itself now; this half has nothing to say about how.
            std::future::pending::<()>().await;
        };
        match futures::future::select(server, std::pin::pin!(stop)).await {
            Either::Left((served, _)) => served,
            Either::Right(((), _)) => Ok(()),
        }
    })
}

fn start(listening: Listening, herder: Arc<dyn Herder>) -> io::Result<Server> {
    let mut server = HttpServer::new(move || App::new().configure(configure(herder.clone())))
        // The API sees a handful of requests a minute.
        .workers(2)
        .shutdown_timeout(5)
        .disable_signals();
    for socket in listening.sockets {
        server = server.listen(socket)?;
    }
    Ok(server.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_a_remedy() {
        let taken = bind(&[Listener { host: "127.0.0.1".into(), port: 0 }]).unwrap();
        let port = taken.addresses[0].port();
        let error = bind(&[Listener { host: "127.0.0.1".into(), port }]).map(drop).unwrap_err();
        assert_eq!(error.address, format!("127.0.0.1:{port}"));
        assert_eq!(error.remedy, "stop the program that has it, or name another port in listeners");
    }
}

//! The listening sockets.

use crate::cors::Cors;
use crate::dispatch::{Api, Surface, configure};
use crate::header_rules::HeaderRules;
use actix_web::dev::Server;
use actix_web::{App, HttpServer};
use connect_runtime::herder::Herder;
use connect_runtime::worker_config::{AdminListeners, Listener};
use futures::future::{Either, select, try_join_all};
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// A listener of the configuration that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({reason}): {remedy}")]
pub struct BindError {
    pub address: String,
    pub reason: String,
    pub remedy: String,
}

/// What the worker's configuration says about answers.
#[derive(Clone, Debug)]
pub struct RestOptions {
    /// `access.control.allow.*`
    pub cors: Option<Cors>,
    /// `response.http.headers.config`
    pub headers: HeaderRules,
    /// How long a request may take, a hop to another worker included.
    pub request_timeout: Duration,
    /// The same for `/health`.
    pub health_timeout: Duration,
    /// How long a request that another worker has to answer waits when nobody listens there: a worker that was killed leads until
    /// the group has missed it.
    pub leader_patience: Duration,
}

impl Default for RestOptions {
    /// Nothing added to answers, and the reference's time limits; it does not wait for another leader.
    fn default() -> Self {
        Self {
            cors: None,
            headers: HeaderRules::default(),
            request_timeout: Duration::from_secs(90),
            health_timeout: Duration::from_secs(10),
            leader_patience: Duration::from_secs(30),
        }
    }
}

/// Sockets that accept connections already; [`serve`] answers them.
pub struct Listening {
    regular: Vec<TcpListener>,
    /// `None`: `/admin` is served by the regular ones; empty: nowhere.
    admin: Option<Vec<TcpListener>>,
    /// Where the regular ones listen, with the ports that the system chose.
    pub addresses: Vec<SocketAddr>,
    /// Where the admin's own ones listen.
    pub admin_addresses: Vec<SocketAddr>,
}

/// Opens all listeners, or none.
pub fn bind(listeners: &[Listener], admin: &AdminListeners) -> Result<Listening, BindError> {
    let (regular, addresses) = open(listeners, "listeners")?;
    let (admin, admin_addresses) = match admin {
        AdminListeners::Same => (None, Vec::new()),
        AdminListeners::Off => (Some(Vec::new()), Vec::new()),
        AdminListeners::Own(listeners) => {
            let (sockets, addresses) = open(listeners, "admin.listeners")?;
            (Some(sockets), addresses)
        }
    };
    Ok(Listening { regular, admin, addresses, admin_addresses })
}

fn open(listeners: &[Listener], key: &str) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), BindError> {
    let open = |listener: &Listener| {
        let bound = TcpListener::bind((listener.host.as_str(), listener.port))
            .and_then(|socket| Ok((socket.local_addr()?, socket)));
        bound.map(|(address, socket)| (socket, address)).map_err(|error| BindError {
            address: format!("{}:{}", listener.host, listener.port),
            remedy: match error.kind() {
                io::ErrorKind::AddrInUse => {
                    format!("stop the program that has it, or name another port in {key}")
                }
                io::ErrorKind::PermissionDenied => format!("name a port from 1024 on in {key}"),
                _ => format!("name an address of this machine in {key}"),
            },
            reason: error.to_string(),
        })
    };
    listeners.iter().map(open).collect()
}

/// Answers requests until `shutdown` is there, then finishes those it has. The future does the work.
pub fn serve(
    listening: Listening,
    herder: Arc<dyn Herder>,
    options: RestOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<impl Future<Output = io::Result<()>> + Send + 'static> {
    let Listening { regular, admin, .. } = listening;
    let surface = if admin.is_none() { Surface::Everything } else { Surface::Regular };
    let mut servers = vec![start(regular, Api::new(herder.clone(), options.clone(), surface))?];
    if let Some(sockets) = admin.filter(|sockets| !sockets.is_empty()) {
        servers.push(start(sockets, Api::new(herder, options, Surface::Admin))?);
    }
    let handles: Vec<_> = servers.iter().map(Server::handle).collect();
    Ok(async move {
        let stop = async move {
            shutdown.await;
            futures::future::join_all(handles.iter().map(|handle| handle.stop(true))).await;
            // The servers end by themselves now; this half has nothing to say about how.
            std::future::pending::<()>().await;
        };
        match select(try_join_all(servers), std::pin::pin!(stop)).await {
            Either::Left((served, _)) => served.map(drop),
            Either::Right(((), _)) => Ok(()),
        }
    })
}

fn start(sockets: Vec<TcpListener>, api: Api) -> io::Result<Server> {
    let api = Arc::new(api);
    let mut server = HttpServer::new(move || App::new().configure(configure(api.clone())))
        // The API sees a handful of requests a minute.
        .workers(2)
        .shutdown_timeout(5)
        .disable_signals();
    for socket in sockets {
        server = server.listen(socket)?;
    }
    Ok(server.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_a_remedy() {
        let any = [Listener { host: "127.0.0.1".into(), port: 0 }];
        let taken = bind(&any, &AdminListeners::Same).unwrap();
        let same = [Listener { host: "127.0.0.1".into(), port: taken.addresses[0].port() }];
        let error = bind(&same, &AdminListeners::Same).map(drop).unwrap_err();
        assert_eq!(error.address, taken.addresses[0].to_string());
        assert_eq!(error.remedy, "stop the program that has it, or name another port in listeners");
        let error = bind(&any, &AdminListeners::Own(same.to_vec())).map(drop).unwrap_err();
        assert_eq!(error.remedy, "stop the program that has it, or name another port in admin.listeners");
    }
}

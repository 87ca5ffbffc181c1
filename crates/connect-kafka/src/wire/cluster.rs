//! The brokers of a cluster: finding them, and who among them does what.

use super::connection::Connection;
use super::error::{Code, WireError, check};
use super::settings::WireSettings;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{FindCoordinatorRequest, MetadataRequest};
use kafka_protocol::protocol::StrBytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What a cluster says of itself.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) cluster_id: Option<String>,
    pub(crate) brokers: HashMap<i32, Broker>,
    pub(crate) controller: i32,
    /// Each topic that was asked for: its partitions and their leaders (-1: none at the moment), or why there are none.
    pub(crate) topics: HashMap<String, Result<BTreeMap<i32, i32>, Code>>,
}

#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) settings: WireSettings,
    /// Brokers besides the bootstrap servers, once somebody has told.
    known: Mutex<Vec<Broker>>,
}

impl Cluster {
    pub(crate) fn new(settings: WireSettings) -> Self {
        Self { settings, known: Mutex::default() }
    }

    pub(crate) async fn open(&self, broker: &Broker) -> Result<Connection, WireError> {
        Connection::open(&self.settings, &broker.host, broker.port).await
    }

    /// A connection to the first broker that answers: the bootstrap servers, then those that were heard of.
    pub(crate) async fn any(&self) -> Result<Connection, WireError> {
        let mut candidates: Vec<Broker> = self
            .settings
            .bootstrap
            .iter()
            .map(|(host, port)| Broker { host: host.clone(), port: *port })
            .collect();
        // Not every worker is to lean on the same broker.
        let turn =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
        let turn = turn as usize % candidates.len().max(1);
        candidates.rotate_left(turn);
        for broker in self.known.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if !candidates.contains(broker) {
                candidates.push(broker.clone());
            }
        }
        let mut last = None;
        for broker in candidates {
            match self.open(&broker).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        // settings have at least one server
        Err(last.unwrap_or_else(|| WireError::Unreachable {
            address: self.settings.servers(),
            source: std::io::ErrorKind::NotFound.into(),
        }))
    }

    /// Never creates a topic.
    pub(crate) async fn metadata(
        &self,
        via: &mut Connection,
        topics: &[&str],
    ) -> Result<Metadata, WireError> {
        let version = via.version::<MetadataRequest>()?;
        let topics = topics.iter().map(|topic| {
            MetadataRequestTopic::default().with_name(Some(StrBytes::from_string((*topic).to_owned()).into()))
        });
        let request = MetadataRequest::default()
            .with_topics(Some(topics.collect()))
            // older versions know no such field and create what they are asked for
            .with_allow_auto_topic_creation(version < 4);
        let answer = via.call(&request, version, self.settings.request_timeout).await?;
        check("Metadata", answer.error_code)?;
        let mut metadata = Metadata {
            cluster_id: answer.cluster_id.map(|id| id.to_string()),
            controller: answer.controller_id.0,
            ..Metadata::default()
        };
        for broker in answer.brokers {
            if let Ok(port) = u16::try_from(broker.port) {
                metadata.brokers.insert(broker.node_id.0, Broker { host: broker.host.to_string(), port });
            }
        }
        for topic in answer.topics {
            let Some(name) = topic.name else { continue };
            let partitions = match Code::try_from_code(topic.error_code) {
                None => {
                    Ok(topic.partitions.iter().map(|part| (part.partition_index, part.leader_id.0)).collect())
                }
                Some(code) => Err(code),
            };
            metadata.topics.insert(name.to_string(), partitions);
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
            metadata.brokers.values().cloned().collect();
        Ok(metadata)
    }

    /// Who looks after this group.
    pub(crate) async fn coordinator(&self, via: &mut Connection, group: &str) -> Result<Broker, WireError> {
        let version = via.version::<FindCoordinatorRequest>()?;
        let key = StrBytes::from_string(group.to_owned());
        let request = match version {
            ..=3 => FindCoordinatorRequest::default().with_key(key),
            _ => FindCoordinatorRequest::default().with_coordinator_keys(vec![key]),
        };
        let answer = via.call(&request, version, self.settings.request_timeout).await?;
        let (code, host, port) = match answer.coordinators.into_iter().next() {
            Some(found) => (found.error_code, found.host, found.port),
            None => (answer.error_code, answer.host, answer.port),
        };
        check("FindCoordinator", code)?;
        match u16::try_from(port) {
            Ok(port) if !host.is_empty() => Ok(Broker { host: host.to_string(), port }),
            _ => Err(WireError::Strange {
                address: via.address().to_owned(),
                what: format!("it names {host}:{port} as coordinator"),
            }),
        }
    }

    /// A connection to the coordinator of this group.
    pub(crate) async fn open_coordinator(&self, group: &str) -> Result<(Broker, Connection), WireError> {
        let mut any = self.any().await?;
        // to know more brokers than the bootstrap servers, should those go
        self.metadata(&mut any, &[]).await?;
        let broker = self.coordinator(&mut any, group).await?;
        let connection = self.open(&broker).await?;
        Ok((broker, connection))
    }
}

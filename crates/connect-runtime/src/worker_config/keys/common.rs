//! The keys of every worker, alone or in a cluster.

use super::checks::{
    bootstrap_servers, listener_list, no_trailing_comment, optional_listener_list, override_policy, port,
    scheme,
};
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator};

pub(super) const COMMON: [ConfigKey; 25] = [
    ConfigKey::new("bootstrap.servers", Ty::String, "Brokers to begin with: host:port, several separated by commas.")
        .required()
        .valid(Validator::Check(bootstrap_servers))
        .importance(Importance::High),
    ConfigKey::new("key.converter", Ty::Class, "The converter of record keys, unless a connector names its own.")
        .required()
        .importance(Importance::High),
    ConfigKey::new("value.converter", Ty::Class, "The converter of record values, unless a connector names its own.")
        .required()
        .importance(Importance::High),
    ConfigKey::new("header.converter", Ty::Class, "The converter of record headers; only SimpleHeaderConverter yet.")
        .default("org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    ConfigKey::new(
        "listeners",
        Ty::List,
        "Where the REST API listens, as http://host:port; without a host, on all interfaces. The default is this machine \
         only (Java: http://:8083): name http://0.0.0.0:8083 to open it.",
    )
    .default("http://127.0.0.1:8083")
    .valid(Validator::Check(listener_list)),
    ConfigKey::new(
        "admin.listeners",
        Ty::List,
        "Where /admin/loggers is served: with everything else when not set, at these addresses alone, or nowhere when empty.",
    )
    .valid(Validator::Check(optional_listener_list)),
    ConfigKey::new(
        "rest.advertised.host.name",
        Ty::String,
        "The host at which other workers reach this one; part of worker_id. Without it the host of the first listener, or \
         where that is 0.0.0.0 the address this machine sends from.",
    )
    .valid(Validator::Check(no_trailing_comment)),
    ConfigKey::new("rest.advertised.port", Ty::Int, "The port at which other workers reach this one; part of worker_id.")
        .valid(Validator::Check(port)),
    ConfigKey::new("rest.advertised.listener", Ty::String, "Only http, which is what other workers use.")
        .valid(Validator::Check(scheme)),
    ConfigKey::new(
        "access.control.allow.origin",
        Ty::String,
        "Origins whose web pages may use the REST API, separated by commas, or *. Empty: only its own.",
    )
    .default("")
    .valid(Validator::Check(no_trailing_comment)),
    ConfigKey::new(
        "access.control.allow.methods",
        Ty::String,
        "The methods such pages may use. Empty: GET, POST and HEAD.",
    )
    .default(""),
    ConfigKey::new(
        "response.http.headers.config",
        Ty::String,
        "Headers of every answer: rules of the form \"[set|add|setDate|addDate] name:value\", separated by commas, a rule \
         that holds a comma itself in double quotes.",
    )
    .default(""),
    ConfigKey::new("offset.flush.interval.ms", Ty::Long, "How often offsets are committed, those of sources and of sinks.")
        .default("60000")
        .valid(Validator::AtLeast(1)),
    ConfigKey::new("offset.flush.timeout.ms", Ty::Long, "Accepted; how long a commit may take is up to the Kafka client.")
        .default("5000")
        .valid(Validator::AtLeast(1)),
    ConfigKey::new(
        "task.shutdown.graceful.timeout.ms",
        Ty::Long,
        "How long tasks may take to finish when they are stopped, all of them together.",
    )
    .default("5000")
    .valid(Validator::AtLeast(0)),
    ConfigKey::new(
        "connector.client.config.override.policy",
        Ty::String,
        "Whether connectors may set consumer.override.*, producer.override.* and admin.override.*: All or None.",
    )
    .default("All")
    .valid(Validator::Check(override_policy)),
    ConfigKey::new(
        "config.providers",
        Ty::List,
        "Names of config providers, such as file,env; each is described by config.providers.NAME.class and \
         config.providers.NAME.param.*. They replace ${NAME:path:key} in this file and in connectors, when these start.",
    )
    .default(""),
    ConfigKey::new("topic.tracking.enable", Ty::Boolean, "Whether the topics a connector uses are remembered.")
        .default("true"),
    ConfigKey::new("topic.tracking.allow.reset", Ty::Boolean, "Whether PUT /connectors/{name}/topics/reset is allowed.")
        .default("true"),
    ConfigKey::new(
        "errors.auto.restart.enable",
        Ty::Boolean,
        "Not in Java: whether connectors and tasks that have failed are started again.",
    )
    .default("false"),
    ConfigKey::new(
        "errors.auto.restart.backoff.initial.ms",
        Ty::Long,
        "Not in Java: the wait before the first automatic restart; it doubles with each that follows.",
    )
    .default("10000")
    .valid(Validator::AtLeast(1)),
    ConfigKey::new("errors.auto.restart.backoff.max.ms", Ty::Long, "Not in Java: the longest wait before an automatic restart.")
        .default("600000")
        .valid(Validator::AtLeast(1)),
    ConfigKey::new("plugin.path", Ty::String, "Accepted in any form, so that copied files work; plugins are linked in."),
    ConfigKey::new(
        "exactly.once.source.support",
        Ty::String,
        "Only disabled: exactly-once sources are not there yet.",
    )
    .default("disabled")
    .valid(Validator::Check(super::checks::exactly_once)),
    ConfigKey::new("client.id", Ty::String, "Part of the names under which the worker's own Kafka clients appear.")
        .default(""),
];

//! What a run calls its topics, groups and databases. A check carries its run id in all of them, so that it can remove
//! them all and touches nothing else.

use contracts::TopicSpec;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) orders_topic: String,
    pub(crate) decisions_topic: String,
    pub(crate) registry_topic: String,
    /// Where the catalog puts records that it cannot read.
    pub(crate) orders_dead_letters: String,
    pub(crate) connector: String,
    /// Where the worker puts records that it cannot write.
    pub(crate) connector_dead_letters: String,
    pub(crate) catalog_group: String,
    /// Kafka Connect's name for the consumer group of a sink.
    pub(crate) connector_group: String,
    /// The cluster of connect workers. Not Kafka's own `connect-cluster`: on somebody's Kafka that may be theirs.
    pub(crate) connect_group: String,
    /// Its configs, offsets and statuses.
    pub(crate) connect_topics: [String; 3],
    pub(crate) orders_database: String,
    pub(crate) catalog_database: String,
}

impl Names {
    /// The names of a demo: those of the texts and curl lines.
    pub(crate) fn plain() -> Self {
        Self::with("", "")
    }

    /// The names of a check.
    pub(crate) fn of_run(run: &str) -> Self {
        Self::with(&format!("_{run}"), &format!("{run}_"))
    }

    fn with(suffix: &str, database_prefix: &str) -> Self {
        let orders_topic = format!("{}{suffix}", TopicSpec::ORDERS);
        let connector = format!("orders-sink{suffix}");
        Self {
            decisions_topic: format!("{}{suffix}", TopicSpec::DECISIONS),
            registry_topic: format!("{}{suffix}", TopicSpec::REGISTRY),
            orders_dead_letters: TopicSpec::dead_letters(&orders_topic).name,
            connector_dead_letters: TopicSpec::dead_letters(&format!("connect-{connector}")).name,
            connector_group: format!("connect-{connector}"),
            catalog_group: format!("catalog-service{suffix}"),
            connect_group: format!("demo-connect{suffix}"),
            connect_topics: ["configs", "offsets", "status"].map(|of| format!("demo-connect-{of}{suffix}")),
            orders_database: format!("demo_{database_prefix}orders"),
            catalog_database: format!("demo_{database_prefix}catalog"),
            orders_topic,
            connector,
        }
    }

    pub(crate) fn topics(&self) -> Vec<&str> {
        let of_the_platform = [
            &self.orders_topic,
            &self.decisions_topic,
            &self.registry_topic,
            &self.orders_dead_letters,
            &self.connector_dead_letters,
        ];
        of_the_platform.into_iter().chain(&self.connect_topics).map(String::as_str).collect()
    }

    pub(crate) fn groups(&self) -> [&str; 3] {
        [&self.catalog_group, &self.connector_group, &self.connect_group]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_check_carries_the_run() {
        let names = Names::of_run("1a2b3c4d");
        let all = names.topics().into_iter().chain(names.groups());
        for name in all.chain([names.connector.as_str(), &names.orders_database, &names.catalog_database]) {
            assert!(name.contains("1a2b3c4d"), "{name}");
        }
        assert_eq!(names.orders_database, "demo_1a2b3c4d_orders");
        assert_eq!(names.connector_dead_letters, "connect-orders-sink_1a2b3c4d.dlq");
    }

    #[test]
    fn a_demo_has_the_names_of_the_texts() {
        let names = Names::plain();
        assert_eq!(names.topics()[..3], ["orders", "order_decisions", "service-registry"]);
        assert_eq!(names.connector_group, "connect-orders-sink");
        assert_eq!(names.orders_database, "demo_orders");
    }
}

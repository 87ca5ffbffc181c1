use contracts::{CleanupPolicy, TopicSpec};

#[test]
fn topics_are_as_the_design_says() {
    let spec = |spec: TopicSpec| (spec.name, spec.partitions, spec.cleanup_policy);
    assert_eq!(spec(TopicSpec::facts(TopicSpec::ORDERS)), ("orders".into(), 6, CleanupPolicy::KeepAll));
    let decisions = TopicSpec::facts(TopicSpec::DECISIONS);
    assert_eq!(spec(decisions), ("order_decisions".into(), 6, CleanupPolicy::KeepAll));
    assert_eq!(spec(TopicSpec::dead_letters("orders")), ("orders.dlq".into(), 1, CleanupPolicy::KeepAll));
    let registry = TopicSpec::registry(TopicSpec::REGISTRY);
    assert_eq!(spec(registry), ("service-registry".into(), 1, CleanupPolicy::Compact));
}

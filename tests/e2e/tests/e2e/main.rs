//! One test binary for the whole crate: it links once.

mod connect_cluster;
mod connect_cluster_ports;
mod connect_kafka;
mod connect_runtime_worker;
mod console;
mod contract;
mod crash;
mod dead_letter;
mod demo_check;
mod discovery;
mod jdbc_mariadb;
mod jdbc_postgres;
mod jdbc_source_connector;
mod lessons;
mod sink_bad_rows;
mod sink_database_faults;
mod status_page;
mod support;
mod types_sink;
mod types_source;
mod w2_postgres;
mod w3_mariadb;
mod w4_java;
mod w4_standalone_files;
mod w6_order_to_catalog;
mod w7_one_truth;

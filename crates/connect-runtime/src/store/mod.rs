//! The internal topics of a cluster: what their records look like, and what a worker knows from having read them.

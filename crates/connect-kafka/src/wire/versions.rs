//! Which requests this program sends, and in which version.

use kafka_protocol::messages::{self, ApiKey};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, VersionRange};
use std::collections::HashMap;

/// A request and its answer.
pub(crate) trait Call: Encodable + HeaderVersion + Message {
    const KEY: ApiKey;
    /// For logs and errors.
    const NAME: &'static str;
    type Answer: Decodable + HeaderVersion + Message;
}

macro_rules! calls {
    ($($name:ident: $request:ident -> $answer:ident,)*) => {
        $(impl Call for messages::$request {
            const KEY: ApiKey = ApiKey::$name;
            const NAME: &'static str = stringify!($name);
            type Answer = messages::$answer;
        })*
    };
}

calls! {
    ApiVersions: ApiVersionsRequest -> ApiVersionsResponse,
    Metadata: MetadataRequest -> MetadataResponse,
    FindCoordinator: FindCoordinatorRequest -> FindCoordinatorResponse,
    JoinGroup: JoinGroupRequest -> JoinGroupResponse,
    SyncGroup: SyncGroupRequest -> SyncGroupResponse,
    Heartbeat: HeartbeatRequest -> HeartbeatResponse,
    LeaveGroup: LeaveGroupRequest -> LeaveGroupResponse,
    OffsetFetch: OffsetFetchRequest -> OffsetFetchResponse,
    OffsetCommit: OffsetCommitRequest -> OffsetCommitResponse,
    OffsetDelete: OffsetDeleteRequest -> OffsetDeleteResponse,
    DeleteGroups: DeleteGroupsRequest -> DeleteGroupsResponse,
    CreateTopics: CreateTopicsRequest -> CreateTopicsResponse,
    DescribeConfigs: DescribeConfigsRequest -> DescribeConfigsResponse,
    ListOffsets: ListOffsetsRequest -> ListOffsetsResponse,
}

/// What a broker can do, from its answer to ApiVersions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions(HashMap<i16, VersionRange>);

impl Versions {
    pub(super) fn read(answer: &messages::ApiVersionsResponse) -> Self {
        let range = |api: &messages::api_versions_response::ApiVersion| {
            (api.api_key, VersionRange { min: api.min_version, max: api.max_version })
        };
        Self(answer.api_keys.iter().map(range).collect())
    }

    /// The newest version of a request that both sides know.
    pub(crate) fn choose<C: Call>(&self) -> Option<i16> {
        // The answer's range is wider than the request's where a version names topics by id; those are not asked for.
        let ours = C::VERSIONS.intersect(&C::Answer::VERSIONS);
        newest(ours, *self.0.get(&(C::KEY as i16))?)
    }
}

fn newest(ours: VersionRange, theirs: VersionRange) -> Option<i16> {
    let common = ours.intersect(&theirs);
    (!common.is_empty()).then_some(common.max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::api_versions_response::ApiVersion;
    use kafka_protocol::messages::{
        ApiVersionsResponse, HeartbeatRequest, JoinGroupRequest, OffsetFetchRequest,
    };

    #[test]
    fn the_newest_version_of_both_is_taken() {
        for (ours, theirs, chosen) in [
            ((0, 9), (0, 9), Some(9)),
            ((0, 9), (2, 5), Some(5)),
            ((0, 9), (2, 12), Some(9)),
            ((2, 7), (0, 1), None),
            ((0, 1), (2, 3), None),
            // a broker that says nonsense
            ((0, 9), (5, 2), None),
        ] {
            let range = |(min, max)| VersionRange { min, max };
            assert_eq!(newest(range(ours), range(theirs)), chosen, "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn a_request_that_the_broker_does_not_list_is_not_sent() {
        let api = |key: ApiKey, min, max| {
            ApiVersion::default().with_api_key(key as i16).with_min_version(min).with_max_version(max)
        };
        let versions = Versions::read(
            &ApiVersionsResponse::default()
                .with_api_keys(vec![api(ApiKey::JoinGroup, 2, 9), api(ApiKey::OffsetFetch, 1, 10)]),
        );
        assert_eq!(versions.choose::<JoinGroupRequest>(), Some(9));
        // 10 names topics by id
        assert_eq!(versions.choose::<OffsetFetchRequest>(), Some(9));
        assert_eq!(versions.choose::<HeartbeatRequest>(), None);
    }
}

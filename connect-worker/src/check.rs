use crate::{Failure, cli::CheckArgs};
pub(crate) async fn run(args: CheckArgs) -> Result<(), Failure> {
    Err(Failure::Usage(format!("{args:?}")))
}

//! Who may use `/servers/{server}/network`.

use hatchery_testkit::{Person, TestPanel};

use super::{Prepared, Row};

pub(super) const ROWS: &[Row] = &[
    Row::needs("listAllocations", "allocation.read"),
    // A free one is there, since the world makes one more than its server has.
    Row::needs("assignAllocation", "allocation.create"),
    Row::needs("updateAllocation", "allocation.update")
        .json(r#"{"notes": "query"}"#)
        .about(the_second),
    Row::needs("setPrimaryAllocation", "allocation.update").about(the_second),
    Row::needs("deleteAllocation", "allocation.delete")
        .about(the_second)
        .answers("204"),
];

/// The allocation of the server that is not its primary one.
fn the_second<'a>(panel: &'a TestPanel, _: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let server = panel
            .store
            .server(panel.world.server.id)
            .await
            .unwrap()
            .unwrap();
        vec![("allocation", server.allocations[1].id.to_string())]
    })
}

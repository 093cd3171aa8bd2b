//! Who may use `/servers/{server}/users`.

use hatchery_testkit::{Person, TestPanel};

use super::{Prepared, Row};

pub(super) const ROWS: &[Row] = &[
    Row::needs("listSubusers", "user.read"),
    // Each gives a permission that it has.
    Row::needs("createSubuser", "user.create")
        .json(r#"{"email": "stranger@example.com", "permissions": ["user.create"]}"#),
    Row::needs("viewSubuser", "user.read").about(the_helper),
    Row::needs("updateSubuser", "user.update")
        .json(r#"{"permissions": ["user.update"]}"#)
        .about(the_helper),
    Row::needs("deleteSubuser", "user.delete")
        .about(the_helper)
        .answers("204"),
];

/// A subuser whom every world has.
fn the_helper<'a>(panel: &'a TestPanel, _: &'a Person) -> Prepared<'a> {
    Box::pin(async move { vec![("user", panel.world.helper.uuid.to_string())] })
}

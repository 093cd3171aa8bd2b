//! The OpenAPI documents, generated from the routes themselves.

mod errors;

use utoipa::Modify;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi};

use crate::client;

/// The document of the client API.
pub fn client() -> OpenApi {
    let mut document = client::router().split_for_parts().1;
    document.info = InfoBuilder::new()
        .title("Hatchery client API")
        .version("1")
        .description(Some(
            "What a person can do with their account and their game servers. Compatible with the \
             client API of Pterodactyl.",
        ))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT")
                .identifier(Some("MIT"))
                .build(),
        ))
        .build();
    BearerKey.modify(&mut document);
    errors::describe(&mut document);
    document
}

/// Keys are sent as `Authorization: Bearer ptlc_…`.
struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, document: &mut OpenApi) {
        const NAME: &str = "key";
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key: the identifier followed by the secret."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(NAME, SecurityScheme::Http(scheme));
        document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(
            NAME,
            [],
        )]);
    }
}

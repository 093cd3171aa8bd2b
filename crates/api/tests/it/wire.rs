//! What is true of every route: order of checks, keys, limits, bodies, addresses.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hatchery_app::{AllowedOrigins, TrustedProxies, TwoFactorPolicy};
use hatchery_store::ApiKeyKind;
use hatchery_testkit::ServerSketch;
use hatchery_vocab::ServerStatus;
use serde_json::json;

use crate::{panel, panel_with};

const ACCOUNT: &str = "/api/client/account";

#[tokio::test]
async fn the_first_failing_check_gives_the_answer() {
    let panel = panel_with(|settings| settings.requests_per_minute = 9).await;
    let suspended = ServerSketch {
        name: "Suspended",
        owner: panel.world.owner.id,
        status: Some(ServerStatus::Suspended),
        allocations: 1,
    };
    let suspended = panel.add_server(&suspended).await.unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    tx.create_subuser(suspended.id, panel.world.bare.id, &[])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let application = panel
        .add_key(panel.world.owner.id, ApiKeyKind::Application, &[])
        .await
        .unwrap();
    let elsewhere = panel
        .add_key(panel.world.owner.id, ApiKeyKind::Client, &["10.9.8.7"])
        .await
        .unwrap();
    let world = &panel.world;
    let command = |server: &str| format!("/api/client/servers/{server}/command");
    let (main, bad) = (command(&world.server.short), "{bad");
    let table = [
        (
            "no key, bad JSON",
            panel.call("POST", &main).raw("application/json", bad),
        ),
        (
            "bad JSON, key from elsewhere",
            panel
                .call("POST", &main)
                .key(&elsewhere)
                .raw("application/json", bad),
        ),
        (
            "key from elsewhere, unknown server",
            panel.call("POST", &command("ffffffff")).key(&elsewhere),
        ),
        (
            "unknown server, application key",
            panel.call("POST", &command("ffffffff")).key(&application),
        ),
        (
            "application key, no access",
            panel.call("POST", &main).key(&application),
        ),
        (
            "no access, state",
            panel.call_as(&world.stranger, "POST", &command(&suspended.short)),
        ),
        (
            "state, permission",
            panel.call_as(&world.bare, "POST", &command(&suspended.short)),
        ),
        (
            "permission, validation",
            panel.call_as(&world.bare, "POST", &main),
        ),
        (
            "validation",
            panel.call_as(&world.helper, "POST", &main).json(&json!({})),
        ),
    ];
    let mut lines = Vec::new();
    for (name, call) in table {
        let answer = call.send().await;
        let limited = if answer.headers.contains_key("x-ratelimit-limit") {
            "limited"
        } else {
            "free"
        };
        lines.push(format!("{name} ({limited}): {}", answer.errors()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
        no key, bad JSON (free): 401 AuthenticationException: Unauthenticated.
        bad JSON, key from elsewhere (free): 400 BadRequestHttpException: The JSON data passed in the request appears to be malformed: Syntax error
        key from elsewhere, unknown server (free): 403 AccessDeniedHttpException: This IP address (127.0.0.1) does not have permission to access the API using these credentials.
        unknown server, application key (limited): 404 NotFoundHttpException: The requested resource could not be found on the server.
        application key, no access (limited): 403 AccessDeniedHttpException: You are attempting to use an application API key on an endpoint that requires a client API key.
        no access, state (limited): 404 NotFoundHttpException: The requested resource does not exist on this server.
        state, permission (limited): 409 ServerStateConflictException: This server is currently suspended and the functionality requested is unavailable.
        permission, validation (limited): 403 AccessDeniedHttpException: This action is unauthorized.
        validation (limited): 422 ValidationException: The command field is required. [command required]
        "#);
    assert_eq!(panel.node.take_calls(), []);
}

#[tokio::test]
async fn credentials_that_prove_nothing() {
    let panel = panel().await;
    let key = &panel.world.owner.key;
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("bearer {key}"),
        format!("Basic {key}"),
        format!("Bearer {}x", &key[..47]),
        format!("Bearer {}", &key[..16]),
        format!("Bearer ptlc_unknown0000{}", &key[16..]),
        format!("Bearer {key}x"),
    ] {
        let answer = panel
            .call("GET", ACCOUNT)
            .header("authorization", &header)
            .send()
            .await;
        assert_eq!(
            answer.errors(),
            "401 AuthenticationException: Unauthenticated.",
            "{header}"
        );
        assert!(
            !answer.headers.contains_key("x-ratelimit-limit"),
            "{header}"
        );
    }
    let comma = format!("Bearer {key}, something else");
    let answer = panel
        .call("GET", ACCOUNT)
        .header("authorization", &comma)
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert!(
        !answer.headers.contains_key("set-cookie"),
        "a key never makes a session"
    );
}

#[tokio::test]
async fn a_key_from_the_wrong_place_is_refused_and_recorded() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let key = panel
        .add_key(owner.id, ApiKeyKind::Client, &["192.0.2.0/24"])
        .await
        .unwrap();
    let answer = panel.call("GET", ACCOUNT).key(&key).send().await;
    assert_eq!(
        answer.errors(),
        "403 AccessDeniedHttpException: This IP address (127.0.0.1) does not have permission to access \
         the API using these credentials."
    );
    assert!(!answer.headers.contains_key("x-ratelimit-limit"));
    // A stolen key cannot fill the log.
    panel.call("GET", ACCOUNT).key(&key).send().await;
    let log = panel
        .call_as(owner, "GET", "/api/client/account/activity")
        .send()
        .await
        .json();
    assert_eq!(log["data"].as_array().unwrap().len(), 1);
    assert_eq!(log["data"][0]["attributes"]["event"], "auth:ip-blocked");
    assert_eq!(
        log["data"][0]["attributes"]["properties"],
        json!({"identifier": &key[..16]})
    );
}

#[tokio::test]
async fn only_trusted_proxies_speak_for_others() {
    let panel = panel_with(|settings| {
        settings.trusted_proxies = TrustedProxies::new(vec!["198.51.100.0/24".parse().unwrap()]);
    })
    .await;
    let key = panel
        .add_key(panel.world.owner.id, ApiKeyKind::Client, &["192.0.2.7"])
        .await
        .unwrap();
    for (peer, forwarded, allowed) in [
        ("198.51.100.1:9", "192.0.2.7", true),
        ("198.51.100.1:9", "6.6.6.6, 192.0.2.7, 198.51.100.2", true),
        ("198.51.100.1:9", "192.0.2.7, 6.6.6.6", false),
        ("203.0.113.1:9", "192.0.2.7", false),
        ("192.0.2.7:9", "6.6.6.6", true),
        ("[::ffff:192.0.2.7]:9", "", true),
    ] {
        let peer: SocketAddr = peer.parse().unwrap();
        let call = panel
            .call("GET", ACCOUNT)
            .key(&key)
            .header("x-forwarded-for", forwarded);
        let status = call.extension(ConnectInfo(peer)).send().await.status;
        assert_eq!(status == 200, allowed, "{peer} {forwarded}");
    }
}

#[tokio::test]
async fn each_key_has_a_fixed_window_of_its_own() {
    let panel = panel_with(|settings| settings.requests_per_minute = 2).await;
    let other = panel
        .add_key(panel.world.owner.id, ApiKeyKind::Client, &[])
        .await
        .unwrap();
    let get = async |path: &str| panel.call_as(&panel.world.owner, "GET", path).send().await;
    let first = get(ACCOUNT).await;
    let headers = |answer: &hatchery_testkit::Answer| {
        [
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "retry-after",
        ]
        .map(|name| answer.header(name).to_owned())
    };
    let reset = (panel.cx.now().seconds() + 60).to_string();
    assert_eq!(headers(&first), ["2", "1", &reset, ""]);
    panel.clock.advance(Duration::from_secs(30));
    assert_eq!(
        headers(&get("/api/client/servers/ffffffff").await),
        ["2", "0", &reset, ""]
    );
    let refused = get(ACCOUNT).await;
    assert_eq!(
        refused.errors(),
        "429 ThrottleRequestsException: Too Many Attempts."
    );
    assert_eq!(headers(&refused), ["2", "0", &reset, "30"]);
    assert_eq!(get("/api/client/servers/ffffffff").await.status, 429);
    assert_eq!(
        panel.call("GET", ACCOUNT).key(&other).send().await.status,
        200
    );
    panel.clock.advance(Duration::from_secs(30));
    assert_eq!(get(ACCOUNT).await.status, 200);
}

#[tokio::test]
async fn the_limit_can_be_turned_off() {
    let panel = panel_with(|settings| settings.requests_per_minute = 0).await;
    let answer = panel
        .call_as(&panel.world.owner, "GET", ACCOUNT)
        .send()
        .await;
    assert!(answer.status == 200 && !answer.headers.contains_key("x-ratelimit-limit"));
}

#[tokio::test]
async fn two_factor_can_be_demanded() {
    for (policy, owner, admin) in [
        (TwoFactorPolicy::Nobody, 200, 200),
        (TwoFactorPolicy::Administrators, 200, 400),
        (TwoFactorPolicy::Everybody, 400, 400),
    ] {
        let panel = panel_with(|settings| settings.two_factor = policy).await;
        for (person, expected) in [(&panel.world.owner, owner), (&panel.world.admin, admin)] {
            let answer = panel
                .call_as(person, "GET", "/api/client/permissions")
                .send()
                .await;
            assert_eq!(answer.status, expected);
            if expected == 400 {
                assert_eq!(
                    answer.errors(),
                    "400 TwoFactorAuthRequiredException: Two-factor authentication is required on this \
                     account in order to access this endpoint."
                );
            }
            assert_eq!(
                panel.call_as(person, "GET", ACCOUNT).send().await.status,
                200
            );
        }
    }
}

#[tokio::test]
async fn bodies() {
    let panel = panel().await;
    let path = panel.world.server.path("/command");
    let call = || panel.call_as(&panel.world.helper, "POST", &path);
    let form = "application/x-www-form-urlencoded";
    let multipart =
        "--b\r\nContent-Disposition: form-data; name=\"command\"\r\n\r\nsay\r\n--b--\r\n";
    let table = [
        ("form", call().raw(form, "command=say+hi")),
        (
            "multipart",
            call().raw("multipart/form-data; boundary=b", multipart),
        ),
        (
            "vendor JSON",
            call().raw("application/vnd.api+json", "{\"command\":\"x\"}"),
        ),
        (
            "JSON without its type",
            call().raw("text/plain", "{\"command\":\"x\"}"),
        ),
        ("no object", call().raw("application/json", "\"x\"")),
        ("nothing", call().raw("application/json", "")),
        ("broken", call().raw("application/json", "{'command':'x'}")),
        (
            "byte order mark",
            call().raw("application/json", "\u{feff}{}"),
        ),
        (
            "bad UTF-8",
            call().raw("application/json", b"{\"command\":\"\xff\"}".to_vec()),
        ),
        ("too deep", call().raw("application/json", "[".repeat(600))),
        (
            "too long",
            call().raw("application/json", format!("\"{}\"", "x".repeat(5 << 20))),
        ),
        (
            "said to be too long",
            call().header("content-length", "1000000000"),
        ),
    ];
    let mut lines = Vec::new();
    for (name, call) in table {
        lines.push(format!("{name}: {}", call.send().await.errors()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
        form: 204
        multipart: 204
        vendor JSON: 204
        JSON without its type: 422 ValidationException: The command field is required. [command required]
        no object: 422 ValidationException: The command field is required. [command required]
        nothing: 422 ValidationException: The command field is required. [command required]
        broken: 400 BadRequestHttpException: The JSON data passed in the request appears to be malformed: Syntax error
        byte order mark: 400 BadRequestHttpException: The JSON data passed in the request appears to be malformed: Syntax error
        bad UTF-8: 400 BadRequestHttpException: The JSON data passed in the request appears to be malformed: Malformed UTF-8 characters, possibly incorrectly encoded
        too deep: 400 BadRequestHttpException: The JSON data passed in the request appears to be malformed: Maximum stack depth exceeded
        too long: 413 PostTooLargeException: The POST data is too large.
        said to be too long: 413 PostTooLargeException: The POST data is too large.
        "#);
    let path = format!("{path}?command=fromquery");
    let answer = panel
        .call_as(&panel.world.helper, "POST", &path)
        .json(&json!({"x": 1}))
        .send()
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        panel
            .call_as(&panel.world.helper, "GET", ACCOUNT)
            .raw("application/json", "")
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn addresses_and_methods() {
    let panel = panel().await;
    let table = [
        ("GET", "/api/client/"),
        ("GET", "/api/client/account/?x=1"),
        ("GET", "/api/nope"),
        ("GET", "/api//client/account"),
        ("GET", "/api/client/servers/"),
        ("GET", "/api/client/account/ssh%2Fkeys"),
        ("PATCH", "/api/client/account"),
        ("DELETE", "/api/client/account/api-keys"),
        ("GET", "/api/client/servers/aaaaaaaa/command/"),
    ];
    let mut lines = Vec::new();
    for (method, path) in table {
        let answer = panel.call(method, path).send().await;
        let allow = answer.header("allow");
        assert_eq!(answer.header("cache-control"), "no-cache, private");
        assert!(!answer.headers.contains_key("x-ratelimit-limit"));
        lines.push(format!("{method} {path} [{allow}]: {}", answer.errors()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
        GET /api/client/ []: 401 AuthenticationException: Unauthenticated.
        GET /api/client/account/?x=1 []: 401 AuthenticationException: Unauthenticated.
        GET /api/nope []: 404 NotFoundHttpException: The route api/nope could not be found.
        GET /api//client/account []: 404 NotFoundHttpException: The route api//client/account could not be found.
        GET /api/client/servers/ []: 404 NotFoundHttpException: The route api/client/servers could not be found.
        GET /api/client/account/ssh%2Fkeys []: 404 NotFoundHttpException: The route api/client/account/ssh%2Fkeys could not be found.
        PATCH /api/client/account [GET, HEAD]: 405 MethodNotAllowedHttpException: The PATCH method is not supported for route api/client/account. Supported methods: GET, HEAD.
        DELETE /api/client/account/api-keys [GET, HEAD, POST]: 405 MethodNotAllowedHttpException: The DELETE method is not supported for route api/client/account/api-keys. Supported methods: GET, HEAD, POST.
        GET /api/client/servers/aaaaaaaa/command/ [POST]: 405 MethodNotAllowedHttpException: The GET method is not supported for route api/client/servers/aaaaaaaa/command. Supported methods: POST.
        "#);
    let options = panel.call("OPTIONS", ACCOUNT).send().await;
    assert_eq!(
        (options.status.as_u16(), options.header("allow")),
        (200, "GET, HEAD")
    );
    let preflight = panel
        .call("OPTIONS", ACCOUNT)
        .header("origin", "https://evil.example.com")
        .header("access-control-request-method", "GET")
        .send()
        .await;
    assert_eq!(preflight.status, 204);
    assert!(
        !preflight
            .headers
            .contains_key("access-control-allow-origin")
    );
    let path = format!("{ACCOUNT}/api-keys/x");
    let overridden = panel
        .call_as(&panel.world.owner, "POST", &path)
        .header("x-http-method-override", "delete");
    assert_eq!(overridden.send().await.status, 404);
    let overridden = panel
        .call_as(&panel.world.owner, "POST", ACCOUNT)
        .header("x-http-method-override", "GET");
    assert_eq!(overridden.send().await.status, 200);
}

#[tokio::test]
async fn a_configured_address_decides_scheme_and_links() {
    let panel =
        panel_with(|settings| settings.app_url = Some("https://panel.example.com".to_owned()))
            .await;
    let path = panel.world.server.path("/websocket");
    let socket = panel
        .call_as(&panel.world.owner, "GET", &path)
        .send()
        .await
        .json();
    assert!(
        socket["data"]["socket"]
            .as_str()
            .unwrap()
            .starts_with("wss://panel.example.com/api/servers/")
    );
    let list = panel
        .call_as(&panel.world.owner, "GET", "/api/client?page=2")
        .send()
        .await
        .json();
    assert_eq!(
        list["meta"]["pagination"]["links"]["previous"],
        "https://panel.test/api/client?page=1"
    );
}

#[tokio::test]
async fn maintenance_answers_everything_in_one_way() {
    let panel = panel_with(|settings| settings.maintenance = true).await;
    let owner = &panel.world.owner;
    for (method, path) in [
        ("GET", ACCOUNT),
        ("GET", "/api/client/nope"),
        ("POST", "/auth/login"),
        ("DELETE", ACCOUNT),
    ] {
        let answer = panel.call_as(owner, method, path).send().await;
        assert_eq!(answer.status, 503, "{method} {path}");
        assert_eq!(answer.errors(), "503 HttpException: Service Unavailable");
        assert_eq!(answer.header("retry-after"), "60");
        assert_eq!(answer.header("cache-control"), "no-cache, private");
    }
    // Games must not notice.
    let node = panel.call("GET", "/api/remote/servers").send().await;
    assert_eq!(node.status, 401);
}

#[tokio::test]
async fn pages_of_others_are_told_what_the_operator_allows() {
    const A: &str = "https://a.example";
    const B: &str = "https://b.example";
    let these = |origins: &[&str]| {
        AllowedOrigins::These(origins.iter().map(|origin| (*origin).to_owned()).collect())
    };
    // Allowed, asking; the origin that is let in, whether cookies are, what the answer varies by.
    let table = [
        (these(&[]), A, "", "", ""),
        (these(&[A]), A, A, "true", ""),
        (these(&[A]), "https://evil.example", A, "true", ""),
        (these(&[A, B]), B, B, "true", "Origin"),
        (these(&[A, B]), "https://evil.example", "", "", "Origin"),
        (AllowedOrigins::Any, B, B, "", "Origin"),
    ];
    for (allowed, asking, origin, cookies, varies) in table {
        let what = format!("{allowed:?} {asking}");
        let panel = panel_with(|settings| settings.allowed_origins = allowed).await;
        let told = |answer: &hatchery_testkit::Answer| {
            assert_eq!(
                answer.header("access-control-allow-origin"),
                origin,
                "{what}"
            );
            assert_eq!(
                answer.header("access-control-allow-credentials"),
                cookies,
                "{what}"
            );
        };
        let owner = &panel.world.owner;
        for (path, status) in [(ACCOUNT, 200), ("/api/client/nope", 404)] {
            let answer = panel
                .call_as(owner, "GET", path)
                .header("Origin", asking)
                .send()
                .await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("vary"), varies, "{what}");
            told(&answer);
        }
        let preflight = panel
            .call("OPTIONS", ACCOUNT)
            .header("Origin", asking)
            .header("Access-Control-Request-Method", "PUT")
            .header("Access-Control-Request-Headers", "authorization,x-own")
            .send()
            .await;
        assert_eq!(preflight.status, 204, "{what}");
        told(&preflight);
        if what != format!("{:?} {A}", these(&[])) {
            assert_eq!(
                preflight.header("access-control-allow-methods"),
                "GET, POST, PUT, PATCH, DELETE, HEAD"
            );
            assert_eq!(
                preflight.header("access-control-allow-headers"),
                "authorization,x-own"
            );
            assert_eq!(preflight.header("access-control-max-age"), "0");
        }
        // Signing in is for the panel's own pages alone.
        let sign_in = panel
            .call("GET", "/sanctum/csrf-cookie")
            .header("Origin", asking)
            .send()
            .await;
        assert_eq!(sign_in.header("access-control-allow-origin"), "", "{what}");
    }
}

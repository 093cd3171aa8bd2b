//! `/api/client/servers/{server}/files`.

use hatchery_testkit::{Answer, TestPanel};
use serde_json::{Value, json};

use crate::panel;

/// What the node was asked, without the server's address.
fn asked(panel: &TestPanel) -> String {
    let prefix = format!("/api/servers/{}/files", panel.world.server.uuid);
    let calls = panel.node.take_calls();
    calls
        .iter()
        .map(|call| call.to_string().replace(&prefix, ""))
        .collect::<Vec<_>>()
        .join("\n")
}

async fn get(panel: &TestPanel, rest: &str) -> Answer {
    panel
        .call_as(&panel.world.owner, "GET", &panel.world.server.path(rest))
        .send()
        .await
}

async fn send(panel: &TestPanel, method: &str, rest: &str, body: Value) -> String {
    let call = panel.call_as(&panel.world.owner, method, &panel.world.server.path(rest));
    call.json(&body).send().await.errors()
}

async fn log(panel: &TestPanel) -> Vec<Value> {
    let answer = get(panel, "/activity").await.json();
    let entries = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["attributes"]);
    entries
        .map(|entry| json!([entry["event"], entry["properties"]]))
        .collect()
}

#[tokio::test]
async fn a_folder() {
    let panel = panel().await;
    insta::assert_json_snapshot!(get(&panel, "/files/list?directory=/a%20b%26").await.json(), @r#"
        {
          "object": "list",
          "data": [
            {
              "object": "file_object",
              "attributes": {
                "name": "logs",
                "mode": "drwxr-xr-x",
                "mode_bits": "644",
                "size": 4096,
                "is_file": false,
                "is_symlink": false,
                "mimetype": "inode/directory",
                "created_at": "2025-12-31T23:00:00-01:00",
                "modified_at": "2026-01-01T00:00:00+00:00"
              }
            },
            {
              "object": "file_object",
              "attributes": {
                "name": "eula.txt",
                "mode": "-rw-r--r--",
                "mode_bits": "644",
                "size": 180,
                "is_file": true,
                "is_symlink": false,
                "mimetype": "text/plain; charset=utf-8",
                "created_at": "2025-12-31T23:00:00-01:00",
                "modified_at": "2026-01-01T00:00:00+00:00"
              }
            }
          ]
        }
        "#);
    assert_eq!(asked(&panel), "GET /list-directory?directory=%2Fa%20b%26 ");
    get(&panel, "/files/list?directory=").await;
    get(&panel, "/files/list").await;
    assert_eq!(
        asked(&panel),
        "GET /list-directory?directory=%2F \nGET /list-directory?directory=%2F "
    );
    insta::assert_snapshot!(get(&panel, "/files/list?directory[]=x").await.errors(), @"422 ValidationException: The directory must be a string. [directory string]");
    let sorted = get(&panel, "/files/list?sort=-size,name&per_page=1")
        .await
        .json();
    assert_eq!(sorted["data"][0]["attributes"]["name"], "logs");
    assert_eq!(sorted["meta"]["pagination"]["total"], 2);
    assert_eq!(log(&panel).await, [] as [Value; 0]);
}

#[tokio::test]
async fn contents_are_bytes_whatever_is_accepted() {
    let panel = panel().await;
    insta::assert_snapshot!(get(&panel, "/files/contents?file=/eula.txt").await, @r#"
        200 OK
        content-type: text/plain; charset=UTF-8
        x-content-type-options: nosniff
        cache-control: no-cache, private

        eula=true
        "#);
    assert_eq!(asked(&panel), "GET /contents?file=%2Feula.txt ");
    insta::assert_snapshot!(get(&panel, "/files/contents?file=").await.errors(), @"422 ValidationException: The file field is required. [file required]");
    panel
        .node
        .answer_next(200, &json!("x".repeat(4 * 1024 * 1024)));
    insta::assert_snapshot!(get(&panel, "/files/contents?file=/server.jar").await.errors(), @"400 FileSizeTooLargeException: The file you are attempting to open is too large to view in the file editor.");
    panel.node.answer_next(404, &json!({"error": "Not here."}));
    insta::assert_snapshot!(get(&panel, "/files/contents?file=/nope").await.errors(), @"404 DaemonConnectionException: An error occurred on the remote host: Not here.. (request id: 00000000-0000-4000-8000-00000000beef)");
    assert_eq!(
        log(&panel).await,
        [json!(["server:file.read", {"file": "/eula.txt"}])]
    );
}

#[tokio::test]
async fn links_carry_their_own_permission() {
    use hatchery_node_proto::jwt::{Claims, FileDownload, FileUpload, JwtError, verify};
    let panel = panel().await;
    let token = hatchery_node_proto::NodeToken::new(hatchery_testkit::NODE_TOKEN);
    let link = async |rest: &str| {
        let url = get(&panel, rest).await.json()["attributes"]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        let (address, token) = url.split_once("?token=").unwrap();
        (address.to_owned(), token.to_owned())
    };
    let (address, download) = link("/files/download?file=/a%2520b.txt").await;
    assert_eq!(address, "http://panel.test/download/file");
    let claims: Claims<FileDownload> = verify(&token, &download, panel.cx.now()).unwrap();
    assert_eq!(claims.purpose.file_path, "/a b.txt");
    let (address, upload) = link("/files/upload").await;
    assert_eq!(address, "http://panel.test/upload/file");
    let claims: Claims<FileUpload> = verify(&token, &upload, panel.cx.now()).unwrap();
    assert_eq!(claims.purpose.server_uuid, panel.world.server.uuid);
    assert_eq!(
        verify::<FileUpload>(&token, &download, panel.cx.now()),
        Err(JwtError::Purpose)
    );
    assert_eq!(asked(&panel), "");
    assert_eq!(
        log(&panel).await,
        [json!(["server:file.download", {"file": "/a%20b.txt"}])]
    );
}

#[tokio::test]
async fn a_file_is_written_with_the_whole_body_whatever_its_type() {
    let panel = panel().await;
    let path = panel.world.server.path("/files/write");
    let call = |query: &str| panel.call_as(&panel.world.owner, "POST", &format!("{path}{query}"));
    for (query, content_type, body, name) in [
        ("?file=/a%20b.txt", "text/plain", "x\n ", "%2Fa%20b.txt"),
        (
            "?file=/ops.json",
            "application/json",
            "[{\"a\": 1}]",
            "%2Fops.json",
        ),
        (
            "?file=/form",
            "application/x-www-form-urlencoded",
            "a=1&b=2",
            "%2Fform",
        ),
        ("?file=/empty", "text/plain", "", "%2Fempty"),
        (
            "",
            "application/json",
            "{\"file\":\"/inside\"}",
            "%2Finside",
        ),
    ] {
        let answer = call(query).raw(content_type, body).send().await;
        assert_eq!(answer.errors(), "204", "{query}");
        assert_eq!(asked(&panel), format!("POST /write?file={name} {body}"));
    }
    assert_eq!(
        call("").raw("text/plain", "x").send().await.errors(),
        "422 ValidationException: The file field is required. [file required]"
    );
    assert_eq!(
        call("?file=x")
            .raw("application/json", "{bad")
            .send()
            .await
            .errors(),
        "400 BadRequestHttpException: The JSON data passed in the request appears to be malformed: Syntax error"
    );
    let long = "x".repeat(5 * 1024 * 1024);
    let call = call("?file=/long").header("content-length", &long.len().to_string());
    assert_eq!(
        call.raw("application/json", long).send().await.errors(),
        "204"
    );
    assert_eq!(log(&panel).await.len(), 6);
}

#[tokio::test]
async fn folders_are_made_and_files_renamed_and_deleted() {
    let panel = panel().await;
    assert_eq!(
        send(
            &panel,
            "POST",
            "/files/create-folder",
            json!({"root": "/x", "name": "y"})
        )
        .await,
        "204"
    );
    assert_eq!(
        send(
            &panel,
            "POST",
            "/files/create-folder",
            json!({"root": null, "name": "y"})
        )
        .await,
        "204"
    );
    let renaming =
        json!({"root": "/", "files": [{"from": "a", "to": "b"}, {"from": "c", "to": "d"}]});
    assert_eq!(send(&panel, "PUT", "/files/rename", renaming).await, "204");
    assert_eq!(
        send(
            &panel,
            "POST",
            "/files/delete",
            json!({"root": "/x", "files": ["a"]})
        )
        .await,
        "204"
    );
    insta::assert_snapshot!(asked(&panel), @r#"
        POST /create-directory {"name":"y","path":"/x"}
        POST /create-directory {"name":"y","path":"/"}
        PUT /rename {"root":"/","files":[{"from":"a","to":"b"},{"from":"c","to":"d"}]}
        POST /delete {"root":"/x","files":["a"]}
        "#);
    insta::assert_json_snapshot!(log(&panel).await, @r#"
        [
          [
            "server:file.create-directory",
            {
              "name": "y",
              "directory": "/x/"
            }
          ],
          [
            "server:file.create-directory",
            {
              "name": "y",
              "directory": "/"
            }
          ],
          [
            "server:file.rename",
            {
              "directory": "/",
              "files": [
                {
                  "from": "a",
                  "to": "b"
                },
                {
                  "from": "c",
                  "to": "d"
                }
              ],
              "count": 2
            }
          ],
          [
            "server:file.delete",
            {
              "directory": "/x/",
              "files": [
                "a"
              ],
              "count": 1
            }
          ]
        ]
        "#);
}

#[tokio::test]
async fn what_is_wrong_with_a_change_of_files() {
    let panel = panel().await;
    let table = [
        ("PUT", "/files/rename", json!({})),
        ("PUT", "/files/rename", json!({"root": null, "files": []})),
        (
            "PUT",
            "/files/rename",
            json!({"root": "/", "files": [{"to": "b"}, {"from": 1}, "x"]}),
        ),
        (
            "POST",
            "/files/delete",
            json!({"root": "/", "files": [{"a": 1}, "b"]}),
        ),
        ("POST", "/files/delete", json!({"files": "x"})),
        ("POST", "/files/create-folder", json!({"root": 1})),
    ];
    let mut errors = Vec::new();
    for (method, rest, body) in table {
        errors.push(send(&panel, method, rest, body).await);
    }
    insta::assert_snapshot!(errors.join("\n\n"), @r#"
        422 ValidationException: The root field is required. [root required]
        422 ValidationException: The files field is required. [files required]

        422 ValidationException: The root field is required. [root required]
        422 ValidationException: The files field is required. [files required]

        422 ValidationException: The files.2 must be an array. [files.2 array]
        422 ValidationException: The files.1.to field is required. [files.1.to required]
        422 ValidationException: The files.2.to field is required. [files.2.to required]
        422 ValidationException: The files.0.from field is required. [files.0.from required]
        422 ValidationException: The files.1.from must be a string. [files.1.from string]
        422 ValidationException: The files.2.from field is required. [files.2.from required]

        422 ValidationException: The files.0 must be a string. [files.0 string]

        422 ValidationException: The root field is required. [root required]
        422 ValidationException: The files must be an array. [files array]

        422 ValidationException: The root must be a string. [root string]
        422 ValidationException: The name field is required. [name required]
        "#);
    assert_eq!(asked(&panel), "");
}

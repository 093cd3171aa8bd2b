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

#[tokio::test]
async fn files_are_copied_packed_unpacked_and_given_permissions() {
    let panel = panel().await;
    for (rest, body) in [
        ("copy", json!({"location": "/server.properties"})),
        ("decompress", json!({"root": "/x", "file": "world.tar.gz"})),
        ("decompress", json!({"file": "world.tar.gz"})),
        (
            "chmod",
            json!({"root": "/", "files": [{"file": "a.sh", "mode": "755"}, {"file": "b", "mode": 644}]}),
        ),
    ] {
        let answer = send(&panel, "POST", &format!("/files/{rest}"), body).await;
        assert_eq!(answer, "204", "{rest}");
    }
    let compress = panel.world.server.path("/files/compress");
    for body in [
        json!({"root": "/x", "files": ["logs", "plugins"]}),
        json!({"root": null, "files": {"a": "b"}}),
    ] {
        let call = panel.call_as(&panel.world.owner, "POST", &compress);
        let answer = call.json(&body).send().await.json();
        assert_eq!(answer["object"], "file_object");
        assert_eq!(
            answer["attributes"]["name"],
            "archive-2026-01-01T000000Z.tar.gz"
        );
    }
    insta::assert_snapshot!(asked(&panel), @r#"
        POST /copy {"location":"/server.properties"}
        POST /decompress {"root":"/x","file":"world.tar.gz"}
        POST /decompress {"root":"/","file":"world.tar.gz"}
        POST /chmod {"root":"/","files":[{"file":"a.sh","mode":"755"},{"file":"b","mode":644}]}
        POST /compress {"root":"/x","files":["logs","plugins"]}
        POST /compress {"root":"/","files":["b"]}
        "#);
    insta::assert_json_snapshot!(log(&panel).await, @r#"
        [
          [
            "server:file.copy",
            {
              "file": "/server.properties"
            }
          ],
          [
            "server:file.decompress",
            {
              "directory": "/x/",
              "files": "world.tar.gz"
            }
          ],
          [
            "server:file.decompress",
            {
              "directory": "/",
              "files": "world.tar.gz"
            }
          ],
          [
            "server:file.compress",
            {
              "directory": "/x/",
              "files": [
                "logs",
                "plugins"
              ],
              "count": 2
            }
          ],
          [
            "server:file.compress",
            {
              "directory": "/",
              "files": [
                "b"
              ],
              "count": 1
            }
          ]
        ]
        "#);
}

#[tokio::test]
async fn what_is_wrong_with_packing_and_permissions() {
    let panel = panel().await;
    let mut errors = Vec::new();
    for (rest, body) in [
        ("copy", json!({"location": ""})),
        ("copy", json!({"location": ["a"]})),
        ("compress", json!({"root": 1, "files": [1]})),
        ("compress", json!({"root": "/", "files": []})),
        ("compress", json!({"files": "a"})),
        ("decompress", json!({"root": "/", "file": ["a"]})),
        ("decompress", json!({})),
        ("chmod", json!({})),
        ("chmod", json!({"root": null, "files": ["a"]})),
        (
            "chmod",
            json!({"root": "/", "files": [{"file": "a", "mode": "rwx"}, {"mode": 7}]}),
        ),
        ("pull", json!({})),
        (
            "pull",
            json!({"url": "javascript:alert(1)", "directory": ["x"], "filename": 5}),
        ),
        (
            "pull",
            json!({"url": 5, "use_header": "maybe", "foreground": null}),
        ),
    ] {
        errors.push(rest.to_owned());
        errors.push(send(&panel, "POST", &format!("/files/{rest}"), body).await);
    }
    insta::assert_snapshot!(errors.join("\n"), @r#"
        copy
        422 ValidationException: The location field is required. [location required]
        copy
        422 ValidationException: The location must be a string. [location string]
        compress
        422 ValidationException: The root must be a string. [root string]
        422 ValidationException: The files.0 must be a string. [files.0 string]
        compress
        422 ValidationException: The files field is required. [files required]
        compress
        422 ValidationException: The files must be an array. [files array]
        decompress
        422 ValidationException: The file must be a string. [file string]
        decompress
        422 ValidationException: The file field is required. [file required]
        chmod
        422 ValidationException: The root field is required. [root required]
        422 ValidationException: The files field is required. [files required]
        chmod
        422 ValidationException: The root field is required. [root required]
        422 ValidationException: The files.0.file field is required. [files.0.file required]
        422 ValidationException: The files.0.mode field is required. [files.0.mode required]
        chmod
        422 ValidationException: The files.1.file field is required. [files.1.file required]
        422 ValidationException: The files.0.mode must be a number. [files.0.mode numeric]
        pull
        422 ValidationException: The url field is required. [url required]
        pull
        422 ValidationException: The url format is invalid. [url url]
        422 ValidationException: The directory must be a string. [directory string]
        422 ValidationException: The filename must be a string. [filename string]
        pull
        422 ValidationException: The url must be a string. [url string]
        422 ValidationException: The url format is invalid. [url url]
        422 ValidationException: The use header field must be true or false. [use_header boolean]
        422 ValidationException: The foreground field must be true or false. [foreground boolean]
        "#);
    assert_eq!(asked(&panel), "");
    panel
        .node
        .answer_next(400, &json!({"error": "Invalid file mode."}));
    let body = json!({"root": "/", "files": [{"file": "a", "mode": "999"}]});
    insta::assert_snapshot!(send(&panel, "POST", "/files/chmod", body).await, @"400 DaemonConnectionException: An error occurred on the remote host: Invalid file mode.. (request id: 00000000-0000-4000-8000-00000000beef)");
    panel.node.set_unreachable(true);
    insta::assert_snapshot!(send(&panel, "POST", "/files/copy", json!({"location": "/a"})).await, @"504 DaemonConnectionException: Could not establish a connection to the machine running this server. Please try again.");
    assert_eq!(log(&panel).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_pull_is_passed_on_as_it_was_written() {
    let panel = panel().await;
    for body in [
        json!({"url": "https://example.com/a.zip"}),
        json!({
            "url": "ftp://example.com/a", "directory": "/plugins", "filename": "b.zip",
            "use_header": "1", "foreground": true,
        }),
        json!({"url": "https://example.com/a.zip", "directory": null, "filename": "", "use_header": 0}),
    ] {
        assert_eq!(send(&panel, "POST", "/files/pull", body).await, "204");
    }
    insta::assert_snapshot!(asked(&panel), @r#"
        POST /pull {"url":"https://example.com/a.zip","root":"/"}
        POST /pull {"url":"ftp://example.com/a","root":"/plugins","file_name":"b.zip","use_header":"1","foreground":true}
        POST /pull {"url":"https://example.com/a.zip","root":"/","use_header":0}
        "#);
    insta::assert_json_snapshot!(log(&panel).await, @r#"
        [
          [
            "server:file.pull",
            {
              "directory": "/",
              "url": "https://example.com/a.zip"
            }
          ],
          [
            "server:file.pull",
            {
              "directory": "/plugins/",
              "url": "ftp://example.com/a"
            }
          ],
          [
            "server:file.pull",
            {
              "directory": "/",
              "url": "https://example.com/a.zip"
            }
          ]
        ]
        "#);
}

#[tokio::test]
async fn pulls_are_counted_per_user_besides_all_requests() {
    let panel = panel().await;
    let path = panel.world.server.path("/files/pull");
    let call = |person| panel.call_as(person, "POST", &path);
    let left = |answer: &Answer| {
        ["x-ratelimit-limit", "x-ratelimit-remaining"]
            .map(|name| answer.headers[name].to_str().unwrap().to_owned())
            .join(" ")
    };
    for remaining in (0..10).rev() {
        // Refused ones count too.
        let answer = call(&panel.world.owner).json(&json!({})).send().await;
        assert_eq!(answer.status, 422);
        assert_eq!(left(&answer), format!("10 {remaining}"));
    }
    let answer = call(&panel.world.owner).json(&json!({})).send().await;
    assert_eq!(
        answer.errors(),
        "429 ThrottleRequestsException: Too Many Attempts."
    );
    assert_eq!(left(&answer), "10 0");
    assert_eq!(answer.headers["retry-after"], "300");
    // Other routes and other people are not held up.
    assert_eq!(get(&panel, "/files/list").await.status, 200);
    let answer = call(&panel.world.stranger).json(&json!({})).send().await;
    assert_eq!(left(&answer), "10 9");
}

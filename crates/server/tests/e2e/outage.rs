//! The database server goes away and comes back: for databases that have one.

mod postgres {
    use crate::support::{Answer, Database, Line, Started, command, eventually, run};
    use reqwest::Method;
    use serde_json::json;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_waits_for_its_database_and_survives_its_outage() {
        let database = Database::postgres();
        let data = tempfile::tempdir().unwrap();
        let (mut line, url) = Line::to(&database.url());
        let mut started = Started::on(&url, data.path());
        started.logs("trying again");
        line.mend();
        let server = started.serving();
        let ana = server.register("ana").await;
        let chat = ana.group("Outage", &[]).await;
        ana.send(&chat, "before").await;

        line.cut().await;
        server.get_root("/healthz").await.is(200);
        let not_ready = server.get_root("/readyz").await;
        assert!(not_ready.header("retry-after").is_some());
        let problem = not_ready.problem(503, "unavailable");
        assert_eq!(problem["errors"][0]["field"], "database");
        let messages = format!("/chats/{chat}/messages");
        let during = || {
            ana.request(Method::POST, &messages)
                .header("Idempotency-Key", "key")
                .json(&json!({"body": "during"}))
        };
        let unavailable = [
            ana.get("/me").await,
            ana.get(&messages).await,
            Answer::to(during()).await,
            server.log_in_with("ana", "whatever it is").await,
        ];
        for answer in unavailable {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            answer.problem(503, "unavailable");
        }

        line.mend();
        eventually("readiness", async || {
            (server.get_root("/readyz").await.status == 200).then_some(())
        })
        .await;
        Answer::to(during()).await.is(201);
        assert_eq!(ana.bodies(&chat).await, ["before", "during"]);
    }

    #[tokio::test]
    async fn while_it_waits_it_can_be_told_to_stop() {
        let data = tempfile::tempdir().unwrap();
        let (_line, url) = Line::to("postgres://ana:secret@127.0.0.1:1/x");
        let mut server = Started::on(&url, data.path());
        let mut lines = vec![server.logs("trying again"), server.logs("trying again")];
        server.signal("INT");
        assert!(server.ended().await.success());
        lines.extend(server.rest_of_log());
        assert!(!lines.iter().any(|line| line.contains("secret")), "{lines:?}");
    }

    #[tokio::test]
    async fn a_command_does_not_wait() {
        let (_line, url) = Line::to("postgres://ana:secret@127.0.0.1:1/x");
        let mut create_user = command(&["admin", "create-user", "--log=off", "--database-url", &url]);
        let (code, _, line) = run(create_user.args(["--username=ana", "--password=correct horse"]));
        assert_eq!(code, 1);
        assert!(
            line.starts_with("tertulia: cannot use the database postgres://ana:***@127.0.0.1:"),
            "{line}"
        );
        assert!(line.lines().count() == 1 && !line.contains("secret"), "{line}");
    }
}

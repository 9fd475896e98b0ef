//! The store: texts by key, over the protocol `memo`.

use chaos_cli::ProgramError;
use host::{Host, Stream};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

type Texts = Arc<Mutex<BTreeMap<String, String>>>;

pub(crate) async fn run(host: Host) -> Result<(), ProgramError> {
    let port = host.settings().get("PORT").unwrap_or("7070").parse()?;
    let (mut listener, texts) = (host.listen(port)?, Texts::default());
    loop {
        let stream = tokio::select! {
            biased;
            () = host.shutdown().cancelled() => return Ok(()),
            stream = listener.accept() => stream?,
        };
        let texts = Arc::clone(&texts);
        // A client that is gone has nobody to be told.
        drop(host.spawn(async move { drop(serve(stream, &texts).await) }));
    }
}

async fn serve(stream: Stream, texts: &Texts) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let reply = reply(&line, texts);
        stream.write_all(format!("{reply}\n").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

fn reply(line: &str, texts: &Texts) -> String {
    let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
    match line.trim_end().splitn(3, ' ').collect::<Vec<_>>()[..] {
        ["PING"] => "PONG".to_owned(),
        ["GET", key] => texts.get(key).map_or_else(|| "NONE".to_owned(), |text| format!("VALUE {text}")),
        ["SET", key, text] => {
            texts.insert(key.to_owned(), text.to_owned());
            "STORED".to_owned()
        }
        _ => "ERROR no such command".to_owned(),
    }
}

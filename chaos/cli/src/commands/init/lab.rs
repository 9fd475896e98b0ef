//! Runs that are made to look at a system: each from a text that lies in no file yet, or from a file that was just written.

use crate::{
    args::{Outputs, Place, Running, WorldName},
    commands::{read, session::Session},
    machine::Machine,
};
use chaos_init::{Heard, Seen};
use chaos_model::{Record, Scenario, language};
use chaos_report::{Style, Terminal};
use chaos_run::Options;
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The place where runs are made.
pub(super) struct Lab<'m> {
    machine: &'m Machine,
    session: Session,
    world: WorldName,
    /// The folder of the files.
    folder: PathBuf,
}

/// The reason why a look shows nothing.
#[derive(Debug)]
pub(super) enum Unseen {
    /// A text is not valid, which people have been told.
    Invalid,
    /// The system could not be run, which people have been told.
    Failed,
    /// The look was interrupted.
    Interrupted,
}

impl<'m> Lab<'m> {
    /// A place in this world. Call it within a runtime.
    ///
    /// # Errors
    /// In words: the machine refuses.
    pub(super) fn new(machine: &'m Machine, world: WorldName, place: &Place, folder: &Path) -> Result<Self, String> {
        let running = Running { worlds: vec![world], place: place.clone(), seed: 1, outputs: Outputs::default() };
        let session = Session::quiet(machine, &running)?;
        Ok(Self { machine, session, world, folder: folder.to_owned() })
    }

    /// Runs a scenario of these texts, and gives what was seen and heard.
    pub(super) async fn look(&self, scenario: &str, system: &str) -> Result<(Seen, Heard), Unseen> {
        let file = self.folder.join("look.toml");
        let texts = |path: &Path| -> io::Result<String> {
            match path.file_name().and_then(|name| name.to_str()) {
                Some("look.toml") => Ok(scenario.to_owned()),
                Some("system.toml") => Ok(system.to_owned()),
                _ => crate::text_file::read(path),
            }
        };
        let read = read::with_known(self.machine, |known| language::load_with(&file, &[], known, &texts));
        let scenario = read.and_then(|scenario| self.world.offer().check(&scenario).map(|()| scenario));
        let scenario = scenario.map_err(|wrong| {
            eprint!("{}", wrong.render(self.machine.colour_errors, self.machine.width));
            Unseen::Invalid
        })?;
        let (listener, mut responses) = unbounded_channel();
        let records = self.run(&scenario, &file, Some(listener)).await;
        let mut heard = Heard::default();
        while let Ok(response) = responses.try_recv() {
            heard.hear(response.request, response.status, &response.body);
        }
        let seen = Seen::of(&records);
        if seen.interrupted || self.session.interrupted() {
            return Err(Unseen::Interrupted);
        }
        if seen.failed.is_some() {
            self.tell(&records);
            return Err(Unseen::Failed);
        }
        Ok((seen, heard))
    }

    /// Runs the scenario in a file.
    pub(super) async fn run_file(&self, file: &Path) -> Result<Seen, Unseen> {
        let scenario = read::load(self.machine, file, &[]).ok_or(Unseen::Invalid)?;
        let seen = Seen::of(&self.run(&scenario, file, None).await);
        if seen.interrupted || self.session.interrupted() { Err(Unseen::Interrupted) } else { Ok(seen) }
    }

    async fn run(
        &self,
        scenario: &Scenario,
        file: &Path,
        listener: Option<UnboundedSender<chaos_run::Heard>>,
    ) -> Vec<Record> {
        let options = Options { file: file.display().to_string(), listener, ..Options::default() };
        Box::pin(self.session.run(scenario, options)).await
    }

    /// Reports a run that failed, as `chaos run` does.
    fn tell(&self, records: &[Record]) {
        let style = Style { colour: self.machine.colour_errors, width: self.machine.width, ..Style::default() };
        let mut terminal = Terminal::new(io::stderr(), style);
        // What can't be written can't be told either.
        let _ = records.iter().try_for_each(|record| terminal.on(record));
    }
}

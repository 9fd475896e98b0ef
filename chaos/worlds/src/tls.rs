//! The run's certificate authority, its files, and the layers of links whose settings ask for TLS.

use chaos_links::{InProcessLinks, Layer};
use chaos_model::{Link, RunFile, Service, ServiceTls, System, system::Piece};
use chaos_run::{TlsOnLinks, WorldError};
use chaos_tls::{Authority, Issued, Trust};
use host::Host;
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The fate of TLS on links.
pub(crate) const ON_LINKS: TlsOnLinks = TlsOnLinks::Ended;

/// The variables by which programs are told which certificates to believe.
const TRUST: [&str; 4] = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// The authority, and the folder of its files.
pub(crate) struct Tls {
    host: Host,
    /// Made where a system first needs it.
    authority: Arc<OnceLock<Arc<Authority>>>,
    folder: PathBuf,
    made: Vec<PathBuf>,
}

impl Tls {
    pub(crate) fn new(host: &Host) -> Self {
        Self { host: host.clone(), authority: Arc::default(), folder: PathBuf::new(), made: Vec::new() }
    }

    /// Proxies that end TLS where settings ask for it, and where the service does not want it passed.
    pub(crate) fn links(&self) -> InProcessLinks {
        let (host, kept) = (self.host.clone(), Arc::clone(&self.authority));
        InProcessLinks::layered(Box::new(move |system: &System, link: &Link| {
            let Some(service) = system.services.get(&link.to).filter(|_| system.ends_tls(link)) else {
                return Ok(None);
            };
            let layer: Arc<dyn Layer> = authority(&host, &kept)?.layer(link, service.protocol, trust(service)?);
            Ok(Some(layer))
        }))
    }

    /// The machine from which a service is asked over TLS.
    pub(crate) fn secured(&self, host: &Host, service: &Service) -> Result<Option<Host>, WorldError> {
        let authority = authority(&self.host, &self.authority)?;
        Ok(Some(authority.secured(host, &service.name, service.protocol, trust(service)?)))
    }

    /// Writes the files that settings name.
    pub(crate) fn prepare(&mut self, folder: &Path, system: &System) -> Result<(), WorldError> {
        self.folder = folder.to_owned();
        for service in system.services.values() {
            let pieces: Vec<&Piece> = service.texts().flat_map(|template| &template.pieces).collect();
            let names =
                |file: RunFile| pieces.iter().any(|piece| matches!(piece, Piece::File(other) if *other == file));
            if names(RunFile::Authority) || service.trusts_run {
                let pem = authority(&self.host, &self.authority)?.pem();
                self.write(self.path(&service.name, RunFile::Authority).into(), &pem, 0o644)?;
            }
            if names(RunFile::Certificate) || names(RunFile::Key) {
                let issued = authority(&self.host, &self.authority)?.issue(&service.name);
                let Issued { certificate, key } =
                    issued.map_err(|failed| WorldError::CannotGive(failed.to_string()))?;
                self.write(self.path(&service.name, RunFile::Certificate).into(), &certificate, 0o600)?;
                self.write(self.path(&service.name, RunFile::Key).into(), &key, 0o600)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, path: PathBuf, text: &str, mode: u32) -> Result<(), WorldError> {
        if self.made.contains(&path) {
            return Ok(());
        }
        let what = format!("can't make {}", path.display());
        self.made.push(path.clone());
        // Made anew, so that nothing that stands there is followed or kept.
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(WorldError::machine(what))
    }

    /// The path of a file of a service.
    fn path(&self, service: &str, file: RunFile) -> String {
        let name = match file {
            RunFile::Authority => "run-ca.pem".to_owned(),
            RunFile::Certificate => format!("{service}.cert.pem"),
            RunFile::Key => format!("{service}.key.pem"),
        };
        self.folder.join(name).display().to_string()
    }

    /// The paths of all files of a service.
    pub(crate) fn files(&self, service: &str) -> BTreeMap<RunFile, String> {
        RunFile::ALL.into_iter().map(|file| (file, self.path(service, file))).collect()
    }

    /// The words behind what runs there, where nobody checks who that is.
    pub(crate) fn caution(&self, service: &Service) -> &'static str {
        match service.tls {
            ServiceTls::EndedInsecurely => "; ANY CERTIFICATE of it is believed",
            ServiceTls::Ended | ServiceTls::EndedBelieving(_) | ServiceTls::Passed => "",
        }
    }

    /// The settings of a service, with those by which it believes the run's authority where it is to.
    pub(crate) fn trusting(&self, service: &Service, mut env: BTreeMap<String, String>) -> BTreeMap<String, String> {
        for name in TRUST.into_iter().filter(|_| service.trusts_run) {
            env.entry(name.to_owned()).or_insert_with(|| self.path(&service.name, RunFile::Authority));
        }
        env
    }

    /// Removes the files.
    pub(crate) fn take_down(&mut self) {
        for path in self.made.drain(..) {
            // Where it is gone already, nothing is left of it.
            let _ = fs::remove_file(path);
        }
    }
}

fn authority(host: &Host, kept: &OnceLock<Arc<Authority>>) -> Result<Arc<Authority>, WorldError> {
    if let Some(known) = kept.get() {
        return Ok(Arc::clone(known));
    }
    let made = Authority::new(host).map_err(|failed| WorldError::CannotGive(failed.to_string()))?;
    Ok(Arc::clone(kept.get_or_init(|| Arc::new(made))))
}

/// The certificates that a service is believed with.
fn trust(service: &Service) -> Result<Trust, WorldError> {
    match &service.tls {
        ServiceTls::Ended | ServiceTls::Passed => Ok(Trust::default()),
        ServiceTls::EndedInsecurely => Ok(Trust::insecure()),
        ServiceTls::EndedBelieving(path) => {
            let path = service.folder.join(path);
            let what = format!("the certificates of {}, `{}`", service.name, path.display());
            let pem = fs::read(&path).map_err(WorldError::machine(what.clone()))?;
            let bad = |bad| WorldError::machine(what)(io::Error::new(io::ErrorKind::InvalidData, bad));
            Trust::default().with(&pem).map_err(bad)
        }
    }
}

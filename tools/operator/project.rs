//! `musubi project`: for whom pseudonyms are made. Officers make and end projects, pipelines export.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand, ValueEnum};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tonic::transport::Channel;

use super::client::OperatorError;
use super::connect::ConnectArguments;
use super::{Outcome, show};
use crate::terms::{OutputDomain, Project};
use crate::wire::pb::export_pseudonyms_response::Part;
use crate::wire::pb::project_service_client::ProjectServiceClient;
use crate::wire::{MESSAGE_BYTES_MAX, PROJECTS, pb, project_etag, read_project};

const DAY: Duration = Duration::from_secs(86_400);

/// What to do with projects.
#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Make a project
    Create(CreateArguments),
    /// List the projects
    List(ListArguments),
    /// Give everybody another pseudonym from now on
    Reissue(ChangeArguments),
    /// Destroy the key of an anonymised project that was delivered; it cannot be undone
    DestroyKey(ChangeArguments),
    /// Write all records and their pseudonyms to a CSV file, with a manifest beside it
    Export(ExportArguments),
}

/// Arguments of `project create`.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// Its name: a-z, 0-9, '_' and '-', starting with a letter
    name: String,
    /// What it hands out
    #[arg(long)]
    domain: Domain,
    /// Who receives it, in words
    #[arg(long)]
    recipient: String,
    /// What for, in words
    #[arg(long)]
    purpose: String,
    /// After so many days nothing is handed out any more
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_in: u32,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `project list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of a change of one project.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// The project
    name: String,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `project export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The project
    name: String,
    /// The CSV file to write: source, record_id, pseudonym
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An output domain as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Domain {
    /// Random key, destroyed at delivery
    Anonymised,
    /// For one recipient, traceable by the operator
    Pseudonymised,
    /// For another certified operator
    CertifiedOperator,
}

impl From<Domain> for pb::OutputDomain {
    fn from(domain: Domain) -> Self {
        match domain {
            Domain::Anonymised => Self::Anonymised,
            Domain::Pseudonymised => Self::Pseudonymised,
            Domain::CertifiedOperator => Self::CertifiedOperator,
        }
    }
}

/// Carries out a command.
///
/// # Errors
/// If the server refuses or a file cannot be written.
pub async fn run(command: &ProjectCommand) -> Outcome {
    match command {
        ProjectCommand::Create(arguments) => create(arguments).await,
        ProjectCommand::List(arguments) => list(arguments).await,
        ProjectCommand::Reissue(arguments) => reissue(arguments).await,
        ProjectCommand::DestroyKey(arguments) => destroy_key(arguments).await,
        ProjectCommand::Export(arguments) => export(arguments).await,
    }
}

async fn client(
    connect: &ConnectArguments,
    role: &str,
) -> Result<ProjectServiceClient<Channel>, OperatorError> {
    let channel = connect.connection_as(role).open().await?;
    Ok(ProjectServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX))
}

fn read(message: Option<pb::Project>) -> Result<Project, OperatorError> {
    read_project(message).map_err(|error| OperatorError::Answer {
        detail: error.to_string(),
    })
}

fn resource(name: &str) -> String {
    format!("{PROJECTS}/{name}")
}

async fn create(arguments: &CreateArguments) -> Outcome {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let project = pb::Project {
        name: resource(&arguments.name),
        domain: pb::OutputDomain::from(arguments.domain).into(),
        recipient: arguments.recipient.clone(),
        purpose: arguments.purpose.clone(),
        expire_time_unix_s: (now + DAY * arguments.expires_in).as_secs(),
        ..pb::Project::default()
    };
    let mut client = client(&arguments.connect, "officer").await?;
    let request = pb::CreateProjectRequest {
        project: Some(project),
    };
    let answer = client
        .create_project(request)
        .await
        .map_err(OperatorError::from)?;
    one(answer.into_inner().project, arguments.json)
}

async fn list(arguments: &ListArguments) -> Outcome {
    let mut client = client(&arguments.connect, "pipeline").await?;
    let mut projects = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListProjectsRequest {
            page_size: 0,
            page_token,
        };
        let answer = client
            .list_projects(request)
            .await
            .map_err(OperatorError::from)?;
        let answer = answer.into_inner();
        for project in answer.projects {
            projects.push(read(Some(project))?);
        }
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if arguments.json {
        return show::json(&projects.iter().map(as_json).collect::<Vec<Value>>());
    }
    if projects.is_empty() {
        return Ok("no projects yet; make one with `musubi project create`\n".into());
    }
    Ok(projects.iter().map(as_text).collect())
}

async fn reissue(arguments: &ChangeArguments) -> Outcome {
    let mut client = client(&arguments.connect, "officer").await?;
    let name = resource(&arguments.name);
    let request = pb::GetProjectRequest { name: name.clone() };
    let seen = client
        .get_project(request)
        .await
        .map_err(OperatorError::from)?;
    let etag = project_etag(&read(seen.into_inner().project)?);
    let request = pb::ReissuePseudonymsRequest { name, etag };
    let answer = client
        .reissue_pseudonyms(request)
        .await
        .map_err(OperatorError::from)?;
    one(answer.into_inner().project, arguments.json)
}

async fn destroy_key(arguments: &ChangeArguments) -> Outcome {
    let mut client = client(&arguments.connect, "officer").await?;
    let name = resource(&arguments.name);
    let request = pb::DestroyProjectKeyRequest { name };
    let answer = client
        .destroy_project_key(request)
        .await
        .map_err(OperatorError::from)?;
    one(answer.into_inner().project, arguments.json)
}

async fn export(arguments: &ExportArguments) -> Outcome {
    let mut client = client(&arguments.connect, "pipeline").await?;
    let name = resource(&arguments.name);
    let request = pb::ExportPseudonymsRequest { name };
    let parts = client
        .export_pseudonyms(request)
        .await
        .map_err(OperatorError::from)?;
    let out = &arguments.out;
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = write(parts.into_inner(), &partial).await;
    let (header, trailer) = written.inspect_err(|_| {
        // What is incomplete is of no use; that it cannot be removed is not the news.
        let _ = std::fs::remove_file(&partial);
    })?;
    let manifest = json!({
        "project": as_json(&read(header.project)?),
        "run": header.run,
        "export_time_unix_s": header.export_time_unix_s,
        "exported_by": header.exported_by,
        "rows": trailer.row_count,
        "content_blake3": HEXLOWER.encode(&trailer.content_hash),
        "content": "BLAKE3 over each row as source,record_id,pseudonym and a line feed, without quotes",
    });
    let mut beside = out.as_os_str().to_owned();
    beside.push(".manifest.json");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, show::json(&manifest)?).map_err(|error| failed(&beside, &error))?;
    std::fs::rename(&partial, out).map_err(|error| failed(out, &error))?;
    if arguments.json {
        return show::json(&json!({ "file": out, "manifest": beside, "rows": trailer.row_count }));
    }
    let rows = trailer.row_count;
    Ok(format!(
        "{}: {rows} rows\n{}: what they are\n",
        out.display(),
        beside.display()
    ))
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("cannot write {}: {error}", path.display())
}

/// Writes the rows, and checks them against the trailer.
async fn write(
    mut parts: tonic::Streaming<pb::ExportPseudonymsResponse>,
    path: &Path,
) -> Result<(pb::ExportHeader, pb::ExportTrailer), Box<dyn std::error::Error + Send + Sync>> {
    let answer = |detail: &str| OperatorError::Answer {
        detail: detail.into(),
    };
    let mut writer = csv::Writer::from_path(path).map_err(|error| failed(path, &error))?;
    let head = writer.write_record(["source", "record_id", "pseudonym"]);
    head.map_err(|error| failed(path, &error))?;
    let mut hasher = blake3::Hasher::new();
    let (mut header, mut trailer, mut count) = (None, None, 0_u64);
    while let Some(part) = parts.next().await {
        match part.map_err(OperatorError::from)?.part {
            Some(Part::Header(one)) => header = Some(one),
            Some(Part::Rows(rows)) => {
                for row in rows.rows {
                    let source = row.source.rsplit('/').next().unwrap_or_default();
                    let line = [source, &row.record_ref, &row.pseudonym];
                    hasher.update(line.join(",").as_bytes()).update(b"\n");
                    writer
                        .write_record(line)
                        .map_err(|error| failed(path, &error))?;
                    count += 1;
                }
            }
            Some(Part::Trailer(one)) => trailer = Some(one),
            None => {}
        }
    }
    let header = header.ok_or_else(|| answer("the export has no header"))?;
    let trailer = trailer.ok_or_else(|| answer("the export ended before its trailer"))?;
    let same = trailer.content_hash == hasher.finalize().as_bytes();
    if !same || trailer.row_count != count {
        return Err(answer("the rows are not those that the trailer counts").into());
    }
    let file = writer
        .into_inner()
        .map_err(|error| failed(path, error.error()))?;
    file.sync_all().map_err(|error| failed(path, &error))?;
    Ok((header, trailer))
}

fn one(message: Option<pb::Project>, json: bool) -> Outcome {
    let project = read(message)?;
    if json {
        return show::json(&as_json(&project));
    }
    Ok(as_text(&project))
}

fn as_json(project: &Project) -> Value {
    json!({
        "project": project.id.as_str(),
        "domain": project.domain.name(),
        "recipient": project.recipient,
        "purpose": project.purpose,
        "create_time_unix_s": project.created_unix_s,
        "expire_time_unix_s": project.expires_unix_s,
        "version": project.version.get(),
        "key_destroyed": project.destroyed,
    })
}

fn as_text(project: &Project) -> String {
    let mut text = format!("{:<24} {}", project.id.as_str(), project.domain.name());
    // Writing to a text does not fail.
    let _ = write!(text, ", issued {} time(s)", project.version.get());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let left = project.expires_unix_s.saturating_sub(now.as_secs());
    if left == 0 {
        text += ", expired";
    } else {
        let _ = write!(text, ", {} days left", left.div_ceil(DAY.as_secs()));
    }
    if project.destroyed {
        text += ", key destroyed";
    } else if project.domain == OutputDomain::Anonymised {
        text += ", key to be destroyed at delivery";
    }
    format!("{text}\n  for {}: {}\n", project.recipient, project.purpose)
}

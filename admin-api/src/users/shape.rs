//! What users look like in the OpenAPI document, where the types themselves belong to the accounts,
//! which know nothing of HTTP. Tests hold the words here to those of the accounts.

use jiff::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// Whether an account is in use.
#[derive(ToSchema)]
#[schema(as = Status, rename_all = "snake_case")]
pub(crate) enum StatusShape {
    Active,
    Disabled,
}

/// Something done to a file or directory.
#[derive(ToSchema)]
#[schema(as = Action, rename_all = "snake_case")]
pub(super) enum ActionShape {
    List,
    Download,
    Upload,
    Overwrite,
    Append,
    Rename,
    Delete,
    MakeDirectory,
    RemoveDirectory,
    SetAttributes,
}

/// What a user may speak: FTP inside TLS, FTP in clear (only where the server allows it), MFTP.
#[derive(ToSchema)]
#[schema(as = Protocol, rename_all = "snake_case")]
pub(crate) enum ProtocolShape {
    Ftps,
    Ftp,
    Mftp,
}

/// Whether a TLS client certificate is asked for.
#[derive(ToSchema)]
#[schema(as = ClientCertificate, rename_all = "snake_case")]
pub(super) enum ClientCertificateShape {
    None,
    Optional,
    Required,
}

/// What is allowed at a path and below it; the grant with the longest path that matches decides alone.
#[derive(ToSchema)]
#[schema(as = Grant)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantShape {
    /// Absolute, without `.`, `..` and empty components.
    #[schema(pattern = r"^/$|^(?:/(?!\.{1,2}(?:/|$))[^/\x00-\x1f\x7f-\x9f]+)+$", max_length = 4096)]
    path: String,
    /// What is allowed; nothing else is.
    allow: Vec<ActionShape>,
}

/// How much a user may store; `null`: no limit.
#[derive(ToSchema)]
#[schema(as = Quota)]
#[serde(deny_unknown_fields)]
pub(super) struct QuotaShape {
    /// Bytes in all files.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_u64)]
    max_bytes: Option<u64>,
    /// Number of files.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_u64)]
    max_files: Option<u64>,
}

/// How much a user may do at once; `null`: no limit.
#[derive(ToSchema)]
#[schema(as = Limits)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsShape {
    /// Sessions at one time.
    #[schema(minimum = 0, maximum = 4_294_967_295_u64)]
    max_sessions: Option<u32>,
    /// Bytes per second, all downloads together.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_u64)]
    download_bytes_per_second: Option<u64>,
    /// Bytes per second, all uploads together.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_u64)]
    upload_bytes_per_second: Option<u64>,
}

/// What a user is to be. What is left out has its default.
#[derive(ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserShape {
    /// Compared byte for byte.
    #[schema(pattern = r"^(?!\.{1,2}$)(?!\.wharfinger-)[A-Za-z0-9._@-]{1,64}$", example = "alice")]
    username: String,
    /// 12 to 1024 bytes, not the username, none of the worst; left out: one is generated and shown in the
    /// answer, once.
    #[schema(required = false, min_length = 12, max_length = 1024, format = Password)]
    password: String,
    /// Default: `active`.
    #[schema(required = false)]
    status: StatusShape,
    /// For the operator.
    #[schema(required = false, max_length = 1024)]
    description: String,
    /// A path below the storage root; default: the username.
    #[schema(required = false, min_length = 1, max_length = 1024)]
    home: String,
    /// Default: everything everywhere.
    #[schema(required = false, max_items = 1000)]
    permissions: Vec<GrantShape>,
    #[schema(required = false)]
    quota: QuotaShape,
    #[schema(required = false)]
    limits: LimitsShape,
    /// Addresses or networks the user may come from; empty: from anywhere.
    #[schema(required = false, max_items = 1000)]
    allowed_networks: Vec<String>,
    /// Default: `ftps`.
    #[schema(required = false)]
    protocols: Vec<ProtocolShape>,
    /// Default: `none`.
    #[schema(required = false)]
    client_certificate: ClientCertificateShape,
    /// From then on the user is refused.
    expires_at: Option<Timestamp>,
    /// From then on the password is refused; cleared by a rotation.
    password_expires_at: Option<Timestamp>,
    /// The password must have been rotated by then, else it is refused; cleared by a rotation.
    must_change_by: Option<Timestamp>,
}

/// What to change about a user; what is left out stays.
#[derive(ToSchema)]
#[schema(as = UserPatch)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatchShape {
    #[schema(required = false)]
    status: StatusShape,
    /// For the operator.
    #[schema(required = false, max_length = 1024)]
    description: String,
    /// A path below the storage root.
    #[schema(required = false, min_length = 1, max_length = 1024)]
    home: String,
    #[schema(required = false, max_items = 1000)]
    permissions: Vec<GrantShape>,
    #[schema(required = false)]
    quota: QuotaShape,
    #[schema(required = false)]
    limits: LimitsShape,
    /// Addresses or networks the user may come from; empty: from anywhere.
    #[schema(required = false, max_items = 1000)]
    allowed_networks: Vec<String>,
    #[schema(required = false)]
    protocols: Vec<ProtocolShape>,
    #[schema(required = false)]
    client_certificate: ClientCertificateShape,
    /// From then on the user is refused.
    expires_at: Option<Timestamp>,
    /// From then on the password is refused; cleared by a rotation.
    password_expires_at: Option<Timestamp>,
    /// The password must have been rotated by then, else it is refused; cleared by a rotation.
    must_change_by: Option<Timestamp>,
}

/// How to give a user another password.
#[derive(ToSchema)]
#[schema(as = PasswordRotation)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationShape {
    /// The new one; left out: one is generated and shown in the answer, once.
    #[schema(required = false, min_length = 12, max_length = 1024, format = Password)]
    password: String,
    /// How long the old one still works beside the new one.
    #[schema(required = false, minimum = 0, maximum = 31_536_000)]
    grace_seconds: u64,
    /// Whether the user's live sessions end.
    #[schema(required = false)]
    end_sessions: bool,
}

/// Which users to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListShape {
    /// At most so many items.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next_cursor` of an earlier answer.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Only users with this status.
    #[param(nullable = false, inline)]
    status: Option<StatusShape>,
    /// Only users whose name or description contains this, whatever the case.
    #[param(nullable = false, max_length = 256)]
    q: Option<String>,
    /// Whether to count all that match.
    #[param(nullable = false)]
    count: Option<bool>,
}

/// The user a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct NameShape {
    /// The user's name.
    username: String,
}

/// A change tied to a version.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfMatchShape {
    /// The `ETag` the change is meant for; another version is left as it is (412).
    #[param(nullable = false, rename = "If-Match", example = "\"1\"")]
    if_match: Option<String>,
}

/// What becomes of the files.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemovalShape {
    /// `keep`, which is the default, or `delete`: a file server removes them, soon.
    #[param(nullable = false, inline)]
    files: Option<FilesShape>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum FilesShape {
    Keep,
    Delete,
}

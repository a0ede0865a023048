// PostgreSQL's own backup_manifest, so that pg_verifybackup checks a restored directory end to end.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/backup/manifest.h"

namespace steward {

/// Render backup_manifest for the data directory restored from `manifest`: version 1 up to PostgreSQL 16, 2 with the system
/// identifier from 17 on, CRC-32C checksums (src/backend/backup/backup_manifest.c; "Backup Manifest Format" in the manual).
/// `manifest.files` holds the files as restored, `checksums` their CRC-32C in the same order; backup_label is added. Pure.
std::string render_backup_manifest(const Manifest& manifest, std::span<const uint32_t> checksums);

}  // namespace steward

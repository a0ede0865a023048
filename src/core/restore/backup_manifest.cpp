#include "core/restore/backup_manifest.h"

#include <array>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/crypto/digest.h"
#include "core/postgres/crc32c.h"

namespace steward {

namespace {

/// "2026-11-20 11:04:43 GMT", as the server writes it.
std::string manifest_time(TimePoint time) {
    std::string text = format_time(time).substr(0, 19);
    text[10] = ' ';
    return text + " GMT";
}

/// The bytes of the checksum as they are in memory, which is how the server prints a CRC.
std::string checksum_text(uint32_t crc) {
    std::array<std::byte, sizeof crc> bytes;
    store_le(bytes.data(), crc);
    return to_hex(bytes);
}

/// "Path" where the path is valid UTF-8, else "Encoded-Path" in hexadecimal.
std::string path_member(const std::string& path) {
    const std::optional<std::string> quoted = quote_json(path);
    return quoted ? formatted("\"Path\": {}", *quoted) : formatted("\"Encoded-Path\": \"{}\"", to_hex(as_bytes(path)));
}

std::string file_line(const std::string& path, uint64_t size, TimePoint modified, uint32_t crc) {
    return formatted("{{ {}, \"Size\": {}, \"Last-Modified\": \"{}\", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"{}\" }}", path_member(path),
                     size, manifest_time(modified), checksum_text(crc));
}

}  // namespace

std::string render_backup_manifest(const Manifest& manifest, std::span<const uint32_t> checksums) {
    const BackupSummary& backup = manifest.summary;
    std::string text = formatted("{{ \"PostgreSQL-Backup-Manifest-Version\": {},\n", backup.major >= 17 ? 2 : 1);
    if (backup.major >= 17) text += formatted("\"System-Identifier\": {},\n", backup.system_identifier);
    text += "\"Files\": [\n";
    text += file_line("backup_label", manifest.backup_label.size(), backup.stopped, crc32c(as_bytes(manifest.backup_label)));
    for (size_t i = 0; i < manifest.files.size(); ++i) {
        const ManifestFile& file = manifest.files[i];
        text += ",\n" + file_line(file.path, file.size, file.modified, checksums[i]);
    }
    text += formatted("\n],\n\"WAL-Ranges\": [\n{{ \"Timeline\": {}, \"Start-LSN\": \"{}\", \"End-LSN\": \"{}\" }}\n],\n", backup.timeline,
                      backup.start_lsn, backup.stop_lsn);
    return text + formatted("\"Manifest-Checksum\": \"{}\"}}\n", sha256_hex(as_bytes(text)));
}

}  // namespace steward

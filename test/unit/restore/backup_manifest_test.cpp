#include "core/restore/backup_manifest.h"

#include <gtest/gtest.h>

#include "core/crypto/digest.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

constexpr uint32_t kChecksums[] = {0x12345678, 0x12345678};

Manifest two_files() {
    Manifest manifest;
    manifest.summary = test_summary("a", 1, 0x2000028, 0x2000100);
    manifest.summary.stopped = TimePoint(std::chrono::seconds(1'700'000'000));
    manifest.backup_label = "START WAL LOCATION: 0/2000028\n";
    ManifestFile file;
    file.path = "PG_VERSION";
    file.size = 3;
    file.modified = TimePoint(std::chrono::seconds(1'700'000'001));
    manifest.files.push_back(file);
    file.path = "base/\xff\xfe";
    manifest.files.push_back(file);
    return manifest;
}

TEST(RenderBackupManifest, IsWhatTheServerWouldWrite) {
    const std::string text = render_backup_manifest(two_files(), kChecksums);
    const size_t last_line = text.rfind("\"Manifest-Checksum\"");
    ASSERT_NE(last_line, std::string::npos);
    EXPECT_EQ(text.substr(0, last_line),
              "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n"
              "\"System-Identifier\": 7575000000000000001,\n"
              "\"Files\": [\n"
              "{ \"Path\": \"backup_label\", \"Size\": 30, \"Last-Modified\": \"2023-11-14 22:13:20 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
              "\"Checksum\": \"" + [] {
                  Bytes bytes(4);
                  store_le(bytes.data(), crc32c(as_bytes("START WAL LOCATION: 0/2000028\n")));
                  return to_hex(bytes);
              }() + "\" },\n"
              "{ \"Path\": \"PG_VERSION\", \"Size\": 3, \"Last-Modified\": \"2023-11-14 22:13:21 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
              "\"Checksum\": \"78563412\" },\n"
              "{ \"Encoded-Path\": \"626173652ffffe\", \"Size\": 3, \"Last-Modified\": \"2023-11-14 22:13:21 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
              "\"Checksum\": \"78563412\" }\n"
              "],\n"
              "\"WAL-Ranges\": [\n"
              "{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": \"0/2000100\" }\n"
              "],\n");
    EXPECT_EQ(text.substr(last_line), "\"Manifest-Checksum\": \"" + sha256_hex(as_bytes(text.substr(0, last_line))) + "\"}\n");
}

TEST(RenderBackupManifest, HasVersionOneUpTo16) {
    Manifest manifest = two_files();
    manifest.summary.major = 16;
    EXPECT_TRUE(render_backup_manifest(manifest, kChecksums).starts_with("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n"));
}

}  // namespace
}  // namespace steward

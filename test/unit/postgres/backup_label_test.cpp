#include "core/postgres/backup_label.h"

#include <gtest/gtest.h>

#include "postgres/real_server.h"

namespace steward {
namespace {

const std::string kLabel =
    "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"
    "CHECKPOINT LOCATION: 0/2000060\n"
    "BACKUP METHOD: streamed\n"
    "BACKUP FROM: primary\n"
    "START TIME: 2026-11-20 11:04:43 UTC\n"
    "LABEL: nightly: full\n"
    "START TIMELINE: 1\n";

TEST(BackupLabel, ParsesWhatTheServerWrites) {
    const auto label = parse_backup_label(kLabel).value();
    EXPECT_EQ(label.start_lsn, Lsn{0x2000028});
    EXPECT_EQ(label.start_segment, "000000010000000000000002");
    EXPECT_EQ(label.start_timeline, 1u);
    EXPECT_EQ(label.checkpoint_lsn, Lsn{0x2000060});
    EXPECT_EQ(label.method, "streamed");
    EXPECT_EQ(label.from, "primary");
    EXPECT_EQ(label.start_time, "2026-11-20 11:04:43 UTC");
    EXPECT_EQ(label.label, "nightly: full");
    EXPECT_FALSE(label.stop_lsn.has_value());
    EXPECT_FALSE(label.incremental_from.has_value());
}

TEST(BackupLabel, ParsesHistoryFilesAndIncrements) {
    const auto label = parse_backup_label(kLabel +
                                          "STOP WAL LOCATION: 0/2000138 (file 000000010000000000000002)\n"
                                          "STOP TIME: 2026-11-20 11:05:00 UTC\n"
                                          "STOP TIMELINE: 1\n"
                                          "INCREMENTAL FROM LSN: 0/01000028\n"
                                          "INCREMENTAL FROM TLI: 1\n")
                           .value();
    EXPECT_EQ(label.stop_lsn, Lsn{0x2000138});
    EXPECT_EQ(label.stop_segment, "000000010000000000000002");
    EXPECT_EQ(label.stop_time, "2026-11-20 11:05:00 UTC");
    EXPECT_EQ(label.stop_timeline, 1u);
    EXPECT_EQ(label.incremental_from, Lsn{0x1000028});
    EXPECT_EQ(label.incremental_from_timeline, 1u);
}

TEST(BackupLabel, RefusesDamage) {
    const auto without = [](std::string line) {
        std::string text = kLabel;
        const size_t at = text.find(line);
        return text.erase(at, text.find('\n', at) + 1 - at);
    };
    EXPECT_TRUE(parse_backup_label(without("LABEL")).ok());
    for (const std::string& text :
         {std::string(), without("START WAL"), without("CHECKPOINT"), kLabel + "LABEL: another\n",
          without("START TIMELINE") + "START TIMELINE: 2\n", without("START WAL") + "START WAL LOCATION: 0/2000028\n",
          without("CHECKPOINT") + "CHECKPOINT LOCATION: nowhere\n", kLabel + "STOP TIMELINE: x\n"}) {
        const auto label = parse_backup_label(text);
        ASSERT_FALSE(label.ok()) << text;
        EXPECT_EQ(label.error().code(), ErrorCode::corrupt_object);
    }
}

TEST(BackupLabelOfARealServer, IsUnderstood) {
    const auto servers = installed_servers();
    REQUIRE_REAL_SERVERS(servers);
    for (const auto& installed : servers) {
        if (installed.major < 15) continue;  // the functions had other names
        RealServer server(installed);
        server.start();
        const std::string output = server.sql(
            "do 'begin perform pg_backup_start(''weekly'', true); end'; select lsn || E'\\n' || labelfile from "
            "pg_backup_stop(false)");
        const auto label = parse_backup_label(output);
        ASSERT_TRUE(label.ok()) << label.error().to_string() << output;
        EXPECT_EQ(label->label, "weekly");
        EXPECT_EQ(label->from, "primary");
        EXPECT_EQ(label->start_timeline, 1u);
        EXPECT_LT(label->start_lsn, label->checkpoint_lsn);
        EXPECT_LT(label->checkpoint_lsn, parse_lsn(output.substr(0, output.find('\n'))).value());
    }
}

TEST(TablespaceMap, ComesBackWithAnyPath) {
    const std::vector<TablespaceMapping> mappings = {
        {16400, "/srv/fast disk"}, {16401, "/srv/new\nline\r"}, {16402, "/srv/back\\slash\\"}, {4294967295, "/x"}};
    EXPECT_EQ(parse_tablespace_map(render_tablespace_map(mappings)).value(), mappings);
    EXPECT_EQ(render_tablespace_map({{16401, "/a\nb\\c"}}), "16401 /a\\\nb\\\\c\n");
    EXPECT_TRUE(parse_tablespace_map("").value().empty());
}

TEST(TablespaceMap, RefusesDamage) {
    for (const char* text :
         {"16400 /no/end", "16400\n", "16400 \n", "x /srv\n", "0 /srv\n", "99999999999 /srv\n", "\n", "16400 /a\\"})
        EXPECT_FALSE(parse_tablespace_map(text).ok()) << text;
}

}  // namespace
}  // namespace steward

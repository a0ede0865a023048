#include "core/backup/manifest.h"

#include <gtest/gtest.h>

#include <string>

namespace steward {
namespace {

Manifest example() {
    Manifest manifest;
    manifest.summary.label = "nightly";
    manifest.summary.system_identifier = 0xF000000000000001;
    manifest.summary.major = 17;
    manifest.summary.start_lsn = Lsn{0x2000028};
    manifest.summary.stop_lsn = Lsn{0x2000138};
    manifest.summary.files = 2;
    manifest.backup_label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nLABEL: \"quoted\"\n";
    manifest.tablespace_map = "16384 /srv/f\xffst\n";
    manifest.packs = {{"20261120-110443Z-0123456789abcdef", 0, 16400, 900, 16384}, {"20261120-110443Z-0123456789abcdef", 3, 8192, 8192}};
    manifest.tablespaces = {{16384, "/srv/f\xffst"}, {16385, ""}};
    manifest.directories = {{"base", 0700}, {"base/5", 0750}};
    manifest.files = {{"base/5/1259", 32768, 0600, TimePoint(std::chrono::microseconds(1700000000123456)), 0x0a1b2c3d, {}, {{0, 8192, 1, 0}, {16384, 16384, 0, 0}}},
                      {"log/\xff\xfe.csv", 0, 0640, {}, {}, digest_of(as_bytes("x")), {}}};
    return manifest;
}

/// The rendered example with one text replaced by another.
std::string changed(const std::string& from, const std::string& to) {
    std::string text = render_manifest(example());
    const size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    if (place != std::string::npos) text.replace(place, from.size(), to);
    return text;
}

TEST(Manifest, SurvivesRenderingAndParsing) {
    const std::string text = render_manifest(example());
    const Result<Manifest> parsed = parse_manifest(text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(render_manifest(*parsed), text);
    EXPECT_EQ(parsed->summary.label, "nightly");
    EXPECT_EQ(parsed->backup_label, example().backup_label);
    EXPECT_EQ(parsed->packs[0].table, 16384u);
    EXPECT_EQ(parsed->packs[1].number, 3u);
    EXPECT_EQ(parsed->packs[1].table, 0u);
    EXPECT_EQ(parsed->files[0].crc32c, 0x0a1b2c3du);
    EXPECT_EQ(parsed->files[0].digest, std::nullopt);
    EXPECT_EQ(parsed->files[1].crc32c, std::nullopt);
    EXPECT_EQ(parsed->files[1].digest, digest_of(as_bytes("x")));
    EXPECT_EQ(parsed->files[0].modified, example().files[0].modified);
    EXPECT_EQ(parsed->files[0].runs[1].offset, 16384u);
}

TEST(Manifest, KeepsTextThatIsNotUtf8) {
    const Result<Manifest> parsed = parse_manifest(render_manifest(example()));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(parsed->files[1].path, "log/\xff\xfe.csv");
    EXPECT_EQ(parsed->tablespaces[0].location, "/srv/f\xffst");
    EXPECT_EQ(parsed->tablespace_map, "16384 /srv/f\xffst\n");
}

TEST(Manifest, RefusesEveryTruncationOfItself) {
    const std::string text = render_manifest(example());
    for (size_t length = 0; length < text.size(); ++length) {
        const Result<Manifest> parsed = parse_manifest(std::string_view(text).substr(0, length));
        ASSERT_FALSE(parsed.ok()) << "of length " << length;
        ASSERT_EQ(parsed.error().code(), ErrorCode::corrupt_object);
    }
}

struct Damage {
    const char* name;
    const char* from;
    const char* to;
    const char* line;
};

class DamagedManifest : public testing::TestWithParam<Damage> {};

TEST_P(DamagedManifest, IsRefusedNamingTheLine) {
    const Result<Manifest> parsed = parse_manifest(changed(GetParam().from, GetParam().to));
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(parsed.error().message(), std::string("line ") + GetParam().line + " of the manifest is malformed");
}

INSTANTIATE_TEST_SUITE_P(Every, DamagedManifest,
                         testing::Values(Damage{"Summary", "\"label\":\"nightly\"", "\"label\":1", "1"},
                                         Damage{"NoJson", "{\"type\":\"label\"", "\"type\":\"label\"", "2"},
                                         Damage{"UnknownType", "\"type\":\"label\"", "\"type\":\"labels\"", "2"},
                                         Damage{"BadHex", "_hex\":\"", "_hex\":\"g", "2"},
                                         Damage{"NegativeLength", "\"length\":16400", "\"length\":-1", "3"},
                                         Damage{"HugeMode", "\"mode\":448", "\"mode\":4294967296", "7"},
                                         Damage{"ParentPath", "\"path\":\"base/5\"", "\"path\":\"base/..\"", "8"},
                                         Damage{"AbsolutePath", "\"path\":\"base/5\"", "\"path\":\"/base\"", "8"},
                                         Damage{"ZeroInPath", "\"path\":\"base/5\"", "\"path\":\"b\\u0000\"", "8"},
                                         Damage{"SamePathTwice", "\"path\":\"base/5\"", "\"path\":\"base\"", "8"},
                                         Damage{"ShortCrc", "\"0a1b2c3d\"", "\"a1b2c3d\"", "9"},
                                         Damage{"RunBeyondSize", "\"size\":32768", "\"size\":32767", "9"},
                                         Damage{"RunBeyondPack", "[16384,16384,0,0]", "[16384,16384,0,1]", "9"},
                                         Damage{"OffsetOverflow", "[16384,16384,0,0]", "[16384,16384,0,18446744073709551615]", "9"},
                                         Damage{"UnknownPack", "[16384,16384,0,0]", "[16384,16384,2,0]", "9"},
                                         Damage{"OverlappingRuns", "[16384,16384,0,0]", "[8191,16384,0,0]", "9"},
                                         Damage{"EmptyRun", "[16384,16384,0,0]", "[16384,0,0,0]", "9"},
                                         Damage{"ThreeNumbers", "[16384,16384,0,0]", "[16384,16384,0]", "9"},
                                         Damage{"WrongCount", "\"end\",\"files\":2", "\"end\",\"files\":3", "11"},
                                         Damage{"AfterTheEnd", "\"end\",\"files\":2}\n", "\"end\",\"files\":2}\n{}\n", "12"}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace steward

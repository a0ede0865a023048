#include "core/storage/storage_url.h"

#include <gmock/gmock.h>

#include "base/temporary_directory.h"

namespace steward {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RepositoryUrl, ReadsEverySpellingOfALocalDirectory) {
    for (const char* text : {"file:///srv/pg", "file:/srv/pg", "file://localhost/srv/pg", "/srv/pg", " FILE:///srv/pg/ ",
                             "/srv/pg//", "file:///srv/%70g"}) {
        const auto url = parse_repository_url(text);
        ASSERT_TRUE(url.ok()) << text << ": " << url.error().to_string();
        EXPECT_EQ(url->path, "/srv/pg") << text;
        EXPECT_EQ(url->to_string(), "file:///srv/pg");
    }
}

TEST(RepositoryUrl, ComesBackFromItsOwnText) {
    for (const char* path : {"/a b", "/100%", "/a,b", "/a?b#c", "/\xC3\xA9", "/a+b:c@d"}) {
        const StorageUrl url{StorageScheme::kFile, path};
        EXPECT_EQ(parse_repository_url(url.to_string()).value(), url) << url.to_string();
    }
}

TEST(RepositoryUrl, RefusesWhatIsNoLocalDirectory) {
    for (const char* text : {"", "  ", "srv/pg", "file:srv/pg", "file://host/srv/pg", "file:///", "/", "/srv/../pg",
                             "file:///srv/./pg", "file:///srv/%2e%2e/pg", "file:///a%0", "file:///a%zz", "file:///a%00b",
                             "file:///a?b", "file:///a#b", ":", "file:", "memory:", "memory://x"}) {
        const auto url = parse_repository_url(text);
        ASSERT_FALSE(url.ok()) << text;
        EXPECT_EQ(url.error().code(), ErrorCode::configuration);
        EXPECT_FALSE(url.error().hint().empty()) << text;
    }
}

TEST(RepositoryUrl, TellsSchemesToComeFromUnknownOnes) {
    EXPECT_EQ(parse_repository_url("s3://bucket/prefix").error().message(),
              "repository scheme \"s3\" is not supported by this release");
    EXPECT_EQ(parse_repository_url("ftp://host/x").error().message(), "unknown repository scheme \"ftp\"");
    EXPECT_THAT(parse_repository_url("ftp://host/x").error().detail(), HasSubstr("\"file\""));
}

TEST(RepositoryUrl, KeepsCredentialsOutOfErrors) {
    for (const char* text : {"s3://key:secret@bucket/x", "ftp://u:secret@host/", "file://u:secret@host/x"})
        EXPECT_THAT(parse_repository_url(text).error().to_string(), Not(HasSubstr("secret")));
}

TEST(RepositoryList, SeparatesByCommas) {
    const auto urls = parse_repository_list("file:///a , /b,file:///c%2Cd");
    ASSERT_TRUE(urls.ok());
    ASSERT_EQ(urls->size(), 3u);
    EXPECT_EQ((*urls)[1].path, "/b");
    EXPECT_EQ((*urls)[2].path, "/c,d");
}

TEST(RepositoryList, RefusesGapsAndRepetitions) {
    for (const char* text : {"", ",", "/a,", ",/a", "/a,,/b", "/a,file:///a/"})
        EXPECT_FALSE(parse_repository_list(text).ok()) << text;
}

TEST(OpenStorage, OpensWhatTheUrlNames) {
    const TemporaryDirectory directory;
    const SystemClock clock;
    const StorageUrl url{StorageScheme::kFile, directory.path() / "new, one"};
    EXPECT_EQ(open_storage(url, {.clock = clock}).error().code(), ErrorCode::configuration);
    const auto storage = open_storage(url, {.clock = clock, .create = true});
    ASSERT_TRUE(storage.ok()) << storage.error().to_string();
    EXPECT_EQ((*storage)->url(), url.to_string());
}

}  // namespace
}  // namespace steward

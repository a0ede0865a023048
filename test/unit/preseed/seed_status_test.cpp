#include "core/preseed/seed_status.h"

#include <gtest/gtest.h>

#include "core/base/json.h"

namespace steward {
namespace {

TEST(SeedStatus, TellsWhatIsKnown) {
    SeedStatus status;
    status.directory = "/srv/\xff";
    auto json = parse_json(render_seed_status(status));
    EXPECT_EQ(json["state"], "inspecting");
    EXPECT_FALSE(json.contains("system_identifier"));
    status.state = SeedState::kRefused;
    status.system_identifier = 18446744073709551615U;
    status.error = Error(ErrorCode::network, "could not").hint("Again.");
    json = parse_json(render_seed_status(status));
    EXPECT_EQ(json["system_identifier"], "18446744073709551615");
    EXPECT_EQ(json["error"]["code"], "network");
    EXPECT_EQ(json["error"]["retryable"], true);
}

TEST(SeedStatus, CountsAttemptsSinceTheLastThatWasDone) {
    SeedStatus status;
    status.attempt = 4;
    status.state = SeedState::kRestoring;
    EXPECT_EQ(next_attempt(render_seed_status(status)), 5);
    status.state = SeedState::kDone;
    EXPECT_EQ(next_attempt(render_seed_status(status)), 1);
    for (const char* text : {"", "[]", "{", R"({"attempt":"7"})", R"({"attempt":-1})", R"({"attempt":1e300})", R"({"attempt":99999999999})"})
        EXPECT_EQ(next_attempt(text), 1) << text;
}

}  // namespace
}  // namespace steward

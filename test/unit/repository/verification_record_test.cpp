#include "core/repository/verification_record.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TimePoint seconds_at(int64_t seconds) { return TimePoint(std::chrono::seconds(seconds)); }

VerificationRecord sample() {
    VerificationRecord record{seconds_at(1'790'000'000), true, 3, 4096, 1, {"cluster/main/0/p"}, {}};
    record.verified.emplace("cluster/main/0/a \"b\"", VerifiedObject{10, 20, seconds_at(-5), seconds_at(7)});
    record.verified.emplace("cluster/main/0/ü", VerifiedObject{UINT64_MAX, 0, seconds_at(1), seconds_at(2)});
    return record;
}

TEST(VerificationRecord, ReadsBackWhatItRenders) {
    const VerificationRecord record = sample();
    const VerificationRecord back = parse_verification(render_verification(record)).value();
    EXPECT_EQ(back.time, record.time);
    EXPECT_EQ(back.finished, record.finished);
    EXPECT_EQ(back.objects, record.objects);
    EXPECT_EQ(back.bytes, record.bytes);
    EXPECT_EQ(back.problems, record.problems);
    EXPECT_EQ(back.verified, record.verified);
    EXPECT_EQ(back.damaged, record.damaged);
}

TEST(VerificationRecord, IsWrittenAsDocumented) {
    EXPECT_EQ(render_verification(sample()),
              "{\"time\":\"2026-09-21T14:13:20.000000Z\",\"finished\":true,\"objects\":3,\"bytes\":4096,\"problems\":1,\"damaged\":[\"cluster/main/0/p\"]}\n"
              "[\"cluster/main/0/a \\\"b\\\"\",10,20,-5000000,7000000]\n"
              "[\"cluster/main/0/ü\",18446744073709551615,0,1000000,2000000]\n");
}

TEST(VerificationRecord, OfBeforeNamesNoDamagedPacks) {
    const auto record = parse_verification("{\"time\":\"2026-09-21T14:13:20Z\",\"finished\":true,\"objects\":3,\"bytes\":4096,\"problems\":0}\n");
    ASSERT_TRUE(record.ok());
    EXPECT_TRUE(record->damaged.empty());
}

TEST(VerificationRecord, NamesTheLineThatIsNotUnderstood) {
    const std::string good = render_verification(sample());
    for (const std::string& bad : {std::string(), std::string("[]\n"), good.substr(0, good.size() - 1), good + "[\"a\",1,2,3]\n",
                                   good + "[\"a\",1,2,3,\"x\"]\n", good + "[\"cluster/main/0/ü\",1,2,3,4]\n", good + "\n"}) {
        const auto record = parse_verification(bad);
        ASSERT_FALSE(record.ok()) << bad;
        EXPECT_EQ(record.error().code(), ErrorCode::corrupt_object);
    }
}

}  // namespace
}  // namespace steward

#include "core/crypto/scram_verifier.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/format.h"
#include "core/crypto/saslprep.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

Bytes salt_of(std::string_view hex) { return from_hex(hex).value(); }

TEST(ScramVerifier, IsThatOfTheRfcsExample) {
    // RFC 7677, section 3: user "user", password "pencil", salt W22ZaJ0SNY7soEsUEjb6gQ==, 4096 iterations. The keys are those its messages prove.
    const Bytes salt = salt_of("5b6d99689d12358eeca04b141236fa81");
    EXPECT_EQ(scram_verifier("pencil", salt, 4096).value(),
              "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(ScramVerifier, DependsOnSaltAndIterations) {
    const std::string verifier = scram_verifier("pencil", salt_of("00"), 4096).value();
    EXPECT_NE(verifier, scram_verifier("pencil", salt_of("01"), 4096).value());
    EXPECT_TRUE(scram_verifier("pencil", salt_of("00"), 1).value().starts_with("SCRAM-SHA-256$1:AA==$"));
    EXPECT_EQ(scram_verifier("pencil", salt_of("00"), 0).error().code(), ErrorCode::invalid_argument);
}

TEST(ScramVerifier, IsKnownAgainByItsPassword) {
    const std::string verifier = scram_verifier("pencil", salt_of("5b6d99689d12358eeca04b141236fa81"), 4711).value();
    EXPECT_TRUE(is_verifier_of(verifier, "pencil"));
    EXPECT_FALSE(is_verifier_of(verifier, "pencils"));
    EXPECT_FALSE(is_verifier_of(verifier, ""));
    EXPECT_FALSE(is_verifier_of(verifier.substr(0, verifier.size() - 1), "pencil"));
    EXPECT_FALSE(is_verifier_of("SCRAM-SHA-256$99999999999:AAAA$AAAA:AAAA", "pencil"));
    EXPECT_FALSE(is_verifier_of("SCRAM-SHA-256$1:=$=:=", "pencil"));
    EXPECT_FALSE(is_verifier_of("md5" + std::string(32, '0'), "pencil"));
    EXPECT_FALSE(is_verifier_of("", ""));
}

TEST(ScramVerifier, PreparesThePassword) {
    const Bytes salt = salt_of("0011");
    EXPECT_EQ(scram_verifier("I\u00ADX", salt, 2).value(), scram_verifier("IX", salt, 2).value());
    EXPECT_NE(scram_verifier("ix", salt, 2).value(), scram_verifier("IX", salt, 2).value());
}

TEST(ScramVerifier, TakesLongPasswords) {
    const std::string password(10240, 'x');
    EXPECT_EQ(kind_of_verifier(scram_verifier(password, salt_of("0011"), 2).value()), VerifierKind::kScram);
    EXPECT_NE(scram_verifier(password, salt_of("0011"), 2).value(), scram_verifier(password + "x", salt_of("0011"), 2).value());
}

std::string utf8_of(char32_t code) {
    const auto byte = [&](unsigned first, unsigned shift) { return static_cast<char>(first | (code >> shift & (first == 0x80 ? 0x3FU : 0x7FU))); };
    if (code < 0x80) return {static_cast<char>(code)};
    if (code < 0x800) return {byte(0xC0, 6), byte(0x80, 0)};
    if (code < 0x10000) return {byte(0xE0, 12), byte(0x80, 6), byte(0x80, 0)};
    return {byte(0xF0, 18), byte(0x80, 12), byte(0x80, 6), byte(0x80, 0)};
}

/// Some characters of the kinds that SASLprep treats in different ways. The five ideographs that Unicode 4.0 corrected (saslprep.h) are not
/// among them.
std::u32string random_password(std::mt19937& random) {
    constexpr std::array<std::pair<char32_t, char32_t>, 17> kRanges = {{{0x01, 0x7F},     {0x80, 0x24F},     {0x300, 0x36F},    {0x5D0, 0x6FF},     {0x600, 0x660},     {0x900, 0xDFF},
                                                                       {0x1100, 0x11FF}, {0x1E00, 0x1FFF},  {0x2000, 0x206F},  {0x2070, 0x2FFF},   {0x3000, 0x33FF},   {0xAC00, 0xD7A3},
                                                                       {0xE000, 0xE010}, {0xF900, 0xFFFF},  {0x1D100, 0x1D7FF}, {0x1F600, 0x1F610}, {0x2F800, 0x2F860}}};
    const auto below = [&](size_t limit) { return static_cast<char32_t>(random() % limit); };
    std::u32string password;
    const auto& main_range = kRanges[below(kRanges.size())];
    for (size_t length = 1 + below(4); length != 0; --length) {
        const auto& [first, last] = below(3) == 0 ? kRanges[below(kRanges.size())] : main_range;
        password += static_cast<char32_t>(first + below(last - first + 1));
    }
    return password;
}

TEST(ScramVerifier, IsThatOfARealServer) {
    constexpr int kPasswords = 1000, kPerCall = 250;
    const std::vector<InstalledServer> installed = installed_servers();
    REQUIRE_REAL_SERVERS(installed);
    RealServer server(installed.back(), "-E UTF8 --locale=C");
    server.start("-c password_encryption=scram-sha-256");
    std::mt19937 random(20261121);
    int changed = 0;
    for (int call = 0; call < kPasswords / kPerCall; ++call) {
        std::string statements, name = formatted("r{}_", call);
        std::vector<std::string> passwords;
        for (int i = 0; i < kPerCall; ++i) {
            std::string literal, password;
            for (const char32_t code : random_password(random)) {
                literal += formatted("\\+{:06X}", static_cast<uint32_t>(code));
                password += utf8_of(code);
            }
            statements += formatted("CREATE ROLE {}{} PASSWORD U&'{}';", name, i, literal);
            changed += saslprep(password).view() != password;
            passwords.push_back(std::move(password));
        }
        server.sql(statements);
        std::istringstream verifiers(server.sql(formatted("SELECT rolpassword FROM pg_authid WHERE rolname LIKE '{}%' ORDER BY oid", name)));
        for (const std::string& password : passwords) {
            std::string verifier;
            ASSERT_TRUE(std::getline(verifiers, verifier));
            const size_t begin = verifier.find('$') + 1, middle = verifier.find(':'), end = verifier.find('$', begin);
            unsigned char salt[2 * kScramSaltSize];
            const std::string text = verifier.substr(middle + 1, end - middle - 1);
            ASSERT_EQ(EVP_DecodeBlock(salt, reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())), 18);
            EXPECT_EQ(scram_verifier(password, std::as_bytes(std::span(salt).first(kScramSaltSize)), std::stoi(verifier.substr(begin))).value(), verifier)
                << to_hex(as_bytes(password));
        }
    }
    EXPECT_GT(changed, kPasswords / 10) << "too few passwords are changed by SASLprep";
    EXPECT_LT(changed, kPasswords / 10 * 9);
}

TEST(VerifierKinds, AreToldApartAsTheServerDoes) {
    EXPECT_EQ(kind_of_verifier(""), VerifierKind::kNone);
    EXPECT_EQ(kind_of_verifier("md5" + std::string(32, 'a')), VerifierKind::kMd5);
    EXPECT_EQ(kind_of_verifier("md5" + std::string(32, 'A')), VerifierKind::kOther);
    EXPECT_EQ(kind_of_verifier("md5" + std::string(31, 'a')), VerifierKind::kOther);
    EXPECT_EQ(kind_of_verifier("SCRAM-SHA-256$4096:AA==$AA==:AA=="), VerifierKind::kScram);
    EXPECT_EQ(kind_of_verifier("SCRAM-SHA-256$4096:AA==$AA=="), VerifierKind::kOther);
    EXPECT_EQ(kind_of_verifier("secret"), VerifierKind::kOther);
}

TEST(GeneratedPasswords, UseEveryValueOfFiveBits) {
    Bytes random(kGeneratedPasswordSize);
    std::set<char> seen;
    for (int first = 0; first < 256; first += 26) {
        for (size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::byte>(first + static_cast<int>(i));
        const Secret password = password_of(random);
        EXPECT_EQ(password.view().size(), 26u);
        seen.insert(password.view().begin(), password.view().end());
    }
    EXPECT_EQ(seen.size(), 32u);
    for (const char c : seen) EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c))) << c;
}

std::string prepared(std::string_view password) { return std::string(saslprep(password).view()); }

TEST(Saslprep, LeavesAsciiAsItIs) {
    EXPECT_EQ(prepared("a b"), "a b");
    EXPECT_EQ(prepared("a\x01\n\x7f\\'\""), "a\x01\n\x7f\\'\"");
    EXPECT_EQ(prepared(""), "");
}

TEST(Saslprep, MapsAndNormalizes) {
    // RFC 4013, section 3.
    EXPECT_EQ(prepared("I\u00ADX"), "IX");
    EXPECT_EQ(prepared("\u00AA"), "a");
    EXPECT_EQ(prepared("\u2168"), "IX");
    EXPECT_EQ(prepared("a\u00A0b"), "a b");
    EXPECT_EQ(prepared("a\u3000\u200Bb"), "a  b");
    EXPECT_EQ(prepared("u\u0308"), "\u00FC");
    EXPECT_EQ(prepared("\u0627\u0031\u0628"), "\u0627\u0031\u0628");
    EXPECT_EQ(prepared("\uFB01\u2460"), "fi1");
    EXPECT_EQ(prepared("\U0001D400"), "A");
}

TEST(Saslprep, LeavesWhatItRefusesAsItIs) {
    for (const std::string& password : {
             std::string("\u00FC\x07\u00AD"),    // a control character
             std::string("\u0627\u0031"),        // right to left, and ends otherwise
             std::string("\u0627a\u00AD\u0627"), // both directions
             std::string("\u00AD"),              // nothing remains
             std::string("\uE000\u00AD"),        // private use
             std::string("\u0221\u00AD"),        // not in Unicode 3.2
             std::string("\U0001F600\u00AD"),    // neither
             std::string("\u00AD\xff"),          // no UTF-8
             std::string("\u00AD\xc0\xaf"),      // overlong
             std::string("\u00AD\xed\xa0\x80"),  // a surrogate
             std::string("\u00AD\xc3"),          // cut
         })
        EXPECT_EQ(prepared(password), password);
}

TEST(Saslprep, TakesLongPasswords) {
    std::string password, expected;
    for (int i = 0; i < 3000; ++i) {
        password += "u\u0308\u00AD";
        expected += "\u00FC";
    }
    EXPECT_EQ(prepared(password), expected);
}

TEST(Secrets, KeepWhatIsAppended) {
    Secret secret("a");
    for (int i = 0; i < 1000; ++i) secret.append("bc");
    EXPECT_EQ(secret.view().size(), 2001u);
    secret.drop_last(2000);
    EXPECT_EQ(secret.view(), "a");
    Secret other(std::move(secret));
    EXPECT_TRUE(secret.empty());  // NOLINT: what is left of it
    EXPECT_EQ(other.view(), "a");
    other = Secret("xyz");
    EXPECT_EQ(other.view(), "xyz");
    other.clear();
    EXPECT_TRUE(other.empty());
}

}  // namespace
}  // namespace steward

#include "core/crypto/scram_verifier.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/format.h"
#include "core/crypto/saslprep.h"

namespace steward {

namespace {

constexpr std::string_view kScramName = "SCRAM-SHA-256";
constexpr size_t kMd5Digits = 32;

/// A key, wiped when it goes.
struct Key {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes{};

    Key() = default;
    Key(const Key&) = delete;
    ~Key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

std::string base64(std::span<const unsigned char> bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock adds a zero
    text.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()))));
    return text;
}

bool sign(const Key& key, std::string_view text, Key& signature) {
    return HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                signature.bytes.data(), nullptr) != nullptr;
}

bool is_base64(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '/' || c == '='; });
}

bool is_scram(std::string_view text) {
    if (!text.starts_with(kScramName) || !text.substr(kScramName.size()).starts_with('$')) return false;
    text.remove_prefix(kScramName.size() + 1);
    const size_t keys = text.find('$'), salt = text.find(':');
    if (keys == text.npos || salt == text.npos || salt > keys) return false;
    const std::string_view iterations = text.substr(0, salt), both = text.substr(keys + 1);
    const size_t between = both.find(':');
    return !iterations.empty() && std::ranges::all_of(iterations, [](unsigned char c) { return std::isdigit(c); }) &&
           is_base64(text.substr(salt + 1, keys - salt - 1)) && between != both.npos && is_base64(both.substr(0, between)) && is_base64(both.substr(between + 1));
}

/// What base64 made; empty for what it did not make.
Bytes from_base64(std::string_view text) {
    Bytes bytes(text.size() / 4 * 3 + 1);
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    bytes.resize(size < 0 ? 0 : static_cast<size_t>(size) - std::min(padding, static_cast<size_t>(size)));
    return bytes;
}

}  // namespace

Result<std::string> scram_verifier(std::string_view password, ByteView salt, int iterations) {
    if (iterations < 1) return Error(ErrorCode::invalid_argument, formatted("invalid number of SCRAM iterations: {}", iterations));
    const Secret prepared = saslprep(password);
    const auto* const salt_bytes = reinterpret_cast<const unsigned char*>(salt.data());
    Key salted, client_key, stored_key, server_key;
    const bool derived = PKCS5_PBKDF2_HMAC(prepared.view().data(), static_cast<int>(prepared.view().size()), salt_bytes, static_cast<int>(salt.size()), iterations,
                                           EVP_sha256(), static_cast<int>(salted.bytes.size()), salted.bytes.data()) == 1 &&
                         sign(salted, "Client Key", client_key) && sign(salted, "Server Key", server_key) &&
                         SHA256(client_key.bytes.data(), client_key.bytes.size(), stored_key.bytes.data()) != nullptr;
    if (!derived) return Error(ErrorCode::internal, "could not compute a SCRAM verifier");
    return formatted("{}${}:{}${}:{}", kScramName, iterations, base64({salt_bytes, salt.size()}), base64(stored_key.bytes), base64(server_key.bytes));
}

std::string_view to_string(VerifierKind kind) {
    switch (kind) {
        case VerifierKind::kNone: return "none";
        case VerifierKind::kScram: return "scram-sha-256";
        case VerifierKind::kMd5: return "md5";
        case VerifierKind::kOther: break;
    }
    return "unknown";
}

VerifierKind kind_of_verifier(std::string_view verifier) {
    if (verifier.empty()) return VerifierKind::kNone;
    if (is_scram(verifier)) return VerifierKind::kScram;
    const bool md5 = verifier.starts_with("md5") && verifier.size() == 3 + kMd5Digits &&
                     verifier.find_first_not_of("0123456789abcdef", 3) == verifier.npos;
    return md5 ? VerifierKind::kMd5 : VerifierKind::kOther;
}

bool is_verifier_of(std::string_view verifier, std::string_view password) {
    constexpr int kMostIterations = 10'000'000;  // a damaged number must not keep a start for hours
    if (!is_scram(verifier)) return false;
    std::string_view rest = verifier.substr(kScramName.size() + 1);
    const size_t colon = rest.find(':');
    int iterations = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + colon, iterations);
    if (problem != std::errc() || iterations < 1 || iterations > kMostIterations) return false;
    rest.remove_prefix(colon + 1);
    const Bytes salt = from_base64(rest.substr(0, rest.find('$')));
    const Result<std::string> own = scram_verifier(password, salt, iterations);
    return !salt.empty() && own.ok() && own->size() == verifier.size() && CRYPTO_memcmp(own->data(), verifier.data(), own->size()) == 0;
}

Secret password_of(ByteView random) {
    constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";  // neither l and 1 nor o and 0
    static_assert(kAlphabet.size() == 32, "each byte of the random ones gives five bits without a bias");
    Secret password;
    for (size_t i = 0; i < kGeneratedPasswordSize; ++i) password.append(kAlphabet.substr(std::to_integer<size_t>(random[i]) % kAlphabet.size(), 1));
    return password;
}

}  // namespace steward

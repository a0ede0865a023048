#include "program/upgrade/cluster_catalogs.h"

#include <array>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/captured_program.h"
#include "program/single_user/single_user_session.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

class OfflineCatalogs final : public ClusterCatalogs {
public:
    OfflineCatalogs(SingleUserServer server, RetryTimer& timer) : server_(std::move(server)), timer_(timer) {}

    Result<std::vector<SingleUserRow>> select(const std::string& database, std::span<const std::string_view> columns, std::string_view rest,
                                              const CancelToken& cancel) override {
        if (!session_ || server_.database != database) {
            TRY(finish(cancel));
            server_.database = database;
            TRY_ASSIGN(SingleUserSession session, SingleUserSession::start(server_, timer_, cancel));
            session_ = std::make_unique<SingleUserSession>(std::move(session));
        }
        return session_->select(columns, rest, cancel);
    }

    Result<void> finish(const CancelToken& cancel) override {
        if (!session_) return {};
        const std::unique_ptr<SingleUserSession> session = std::move(session_);
        return session->finish(cancel);
    }

private:
    SingleUserServer server_;
    RetryTimer& timer_;
    std::unique_ptr<SingleUserSession> session_;
};

int value_of(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

/// "x6162" is "ab", and nothing is NULL.
Result<std::optional<std::string>> decode_value(std::string_view text) {
    if (text.empty()) return std::optional<std::string>();
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (text.front() != 'x' || text.size() % 2 == 0 || text.find_first_not_of(kDigits, 1) != text.npos)
        return Error(ErrorCode::server_raised, "psql's output is not understood");
    std::string value;
    for (size_t i = 1; i < text.size(); i += 2) value += static_cast<char>(value_of(text[i]) << 4 | value_of(text[i + 1]));
    return std::optional(std::move(value));
}

/// Lines of values between bars, all of them hexadecimal.
Result<std::vector<SingleUserRow>> parse_rows(std::string_view output, size_t columns) {
    std::vector<SingleUserRow> rows;
    while (!output.empty()) {
        std::string_view line = output.substr(0, output.find('\n'));
        output.remove_prefix(std::min(output.size(), line.size() + 1));
        SingleUserRow row;
        for (;;) {
            const std::string_view field = line.substr(0, line.find('|'));
            TRY_ASSIGN(std::optional<std::string> value, decode_value(field));
            row.push_back(std::move(value));
            if (field.size() == line.size()) break;
            line.remove_prefix(field.size() + 1);
        }
        if (row.size() != columns) return Error(ErrorCode::server_raised, "psql's output is not understood");
        rows.push_back(std::move(row));
    }
    return rows;
}

/// A database's name as a connection string, so that no name is taken for one.
std::string connection_to(const std::string& database) {
    std::string quoted = "dbname='";
    for (const char c : database) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '\'';
}

class OnlineCatalogs final : public ClusterCatalogs {
public:
    OnlineCatalogs(ServerAddress address, RetryTimer& timer) : address_(std::move(address)), timer_(timer) {}

    Result<std::vector<SingleUserRow>> select(const std::string& database, std::span<const std::string_view> columns, std::string_view rest,
                                              const CancelToken& cancel) override {
        std::string statement = "SELECT ";
        for (size_t i = 0; i < columns.size(); ++i)
            statement += formatted("{}'x' || encode(textsend(({})::text), 'hex')", i == 0 ? "" : ", ", columns[i]);
        statement += formatted(" {}", rest);
        TRY_ASSIGN(const CapturedProgram psql,
                   run_captured({address_.psql.native(), "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-h", address_.host, "-p", address_.port, "-U", address_.user,
                                 "-d", connection_to(database), "-c", "SET search_path = pg_catalog; SET client_encoding = SQL_ASCII; SET default_transaction_read_only = on", "-c",
                                 statement},
                                timer_, cancel));
        if (psql.succeeded()) return parse_rows(psql.output, columns.size());
        return Error(ErrorCode::server_raised, formatted("could not ask the running server in database \"{}\"", database))
            .detail(psql.failure())
            .hint("Stop the server, or let the owner of the data directory connect: name a superuser with --username, and see its password file.");
    }

    Result<void> finish(const CancelToken&) override { return {}; }

private:
    ServerAddress address_;
    RetryTimer& timer_;
};

}  // namespace

std::unique_ptr<ClusterCatalogs> offline_catalogs(SingleUserServer server, RetryTimer& timer) {
    return std::make_unique<OfflineCatalogs>(std::move(server), timer);
}

std::unique_ptr<ClusterCatalogs> online_catalogs(ServerAddress address, RetryTimer& timer) { return std::make_unique<OnlineCatalogs>(std::move(address), timer); }

Result<ServerAddress> find_server_address(const fs::path& data_directory) {
    // Lines of postmaster.pid (pidfile.h), counted from 0.
    constexpr size_t kPort = 3, kSocketDirectory = 4, kListenAddress = 5, kLines = 6;
    constexpr uint64_t kMostContent = 1 << 16;
    const fs::path file = data_directory / "postmaster.pid";
    const Result<Bytes> content = read_file(file, kMostContent);
    // A server that was stopped at once, or killed, is outlived by some of its processes for a moment.
    if (!content.ok())
        return Error(ErrorCode::wrong_state, "processes of a server work in the data directory, and none of them can be connected to")
            .detail(content.error().message())
            .hint("Wait until they have ended, or end them.")
            .object(file.native());
    std::array<std::string, kLines> lines;
    std::string_view rest = as_text(*content);
    for (std::string& line : lines) {
        line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    ServerAddress address;
    address.port = lines[kPort];
    address.host = lines[kSocketDirectory].empty() ? lines[kListenAddress] : lines[kSocketDirectory];
    if (address.host == "*" || address.host == "0.0.0.0" || address.host == "::") address.host = "localhost";
    if (address.port.empty() || address.host.empty())
        return Error(ErrorCode::wrong_state, "the server is not open for connections").hint("Wait until it has started, or stop it.").object(file.native());
    return address;
}

}  // namespace steward

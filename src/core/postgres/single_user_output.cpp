#include "core/postgres/single_user_output.h"

#include <charconv>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kPrompt = "backend> ";
constexpr std::string_view kRowEnd = "\t----";

/// One line of a row or of the list of columns before it: `\t 1: name = "value"\t(typeid = ...)`, the list without the value.
struct Attribute {
    size_t number = 0;  ///< from 1 on
    std::optional<std::string_view> value;
};

Error not_understood(std::string_view line) {
    return Error(ErrorCode::server_raised, "the server's output in single-user mode is not understood").detail(formatted("It has a line \"{}\".", line));
}

std::optional<Attribute> parse_attribute(std::string_view line) {
    constexpr std::string_view kBegin = " = \"", kTail = "\t(typeid = ";
    if (!line.starts_with('\t')) return std::nullopt;
    const size_t digits = line.find_first_not_of("\t ");
    const size_t tail = line.rfind(kTail);
    if (digits == line.npos || tail == line.npos) return std::nullopt;
    Attribute attribute;
    const auto [end, problem] = std::from_chars(line.data() + digits, line.data() + line.size(), attribute.number);
    if (problem != std::errc() || *end != ':' || attribute.number == 0) return std::nullopt;
    const std::string_view text = line.substr(0, tail);
    const size_t begin = text.find(kBegin);
    if (begin == text.npos) return attribute;
    if (!text.ends_with('"') || text.size() <= begin + kBegin.size()) return std::nullopt;
    attribute.value = text.substr(begin + kBegin.size(), text.size() - begin - kBegin.size() - 1);
    return attribute;
}

/// The parts that end with a line of dashes; the first one is the list of columns.
class RowReader {
public:
    explicit RowReader(size_t columns) : columns_(columns) {}

    Result<void> take(std::string_view line) {
        if (line == kRowEnd) return end_part();
        const std::optional<Attribute> attribute = parse_attribute(line);
        if (!attribute || attribute->number > columns_) return not_understood(line);
        if (!attribute->value) {
            if (listed_) return not_understood(line);
            return {};
        }
        Result<Bytes> value = from_hex(*attribute->value);
        if (!listed_ || !value.ok()) return not_understood(line);
        row_.resize(columns_);
        row_[attribute->number - 1] = std::string(as_text(*value));
        return {};
    }

    Result<std::vector<SingleUserRow>> rows() && {
        if (!row_.empty()) return not_understood("");
        return std::move(rows_);
    }

private:
    Result<void> end_part() {
        if (!listed_) {
            listed_ = true;
            return {};
        }
        row_.resize(columns_);
        rows_.push_back(std::move(row_));
        row_.clear();
        return {};
    }

    size_t columns_;
    bool listed_ = false;
    SingleUserRow row_;
    std::vector<SingleUserRow> rows_;
};

}  // namespace

Result<std::vector<SingleUserRow>> parse_single_user_rows(std::string_view output, size_t columns) {
    RowReader reader(columns);
    while (!output.empty()) {
        const size_t end = output.find('\n');
        std::string_view line = output.substr(0, end);
        output.remove_prefix(end == output.npos ? output.size() : end + 1);
        while (line.starts_with(kPrompt)) line.remove_prefix(kPrompt.size());
        if (line.empty() || line.starts_with("PostgreSQL stand-alone backend ")) continue;
        TRY(reader.take(line));
    }
    return std::move(reader).rows();
}

std::string without_statements(std::string_view messages) {
    std::string kept;
    bool quoted = false;
    while (!messages.empty()) {
        const std::string_view line = messages.substr(0, messages.find('\n') == messages.npos ? messages.npos : messages.find('\n') + 1);
        messages.remove_prefix(line.size());
        // The server indents every further line of a part with a tab.
        if (!line.starts_with('\t')) quoted = line.starts_with("CONTEXT:") || line.starts_with("QUERY:") || line.starts_with("STATEMENT:");
        if (!quoted) kept += line;
    }
    return kept;
}

}  // namespace steward

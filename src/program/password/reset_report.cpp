#include "program/password/reset_report.h"

#include "core/base/format.h"
#include "core/base/json.h"
#include "core/crypto/scram_verifier.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

namespace {

std::string render_role(const Role& role) {
    return formatted("role {}: OID {}{}, password so far: {}\n", quote_sql_identifier(role.name), role.oid, role.superuser ? ", superuser" : "",
                     to_string(kind_of_verifier(role.verifier)));
}

std::string_view fate_of_obstacles(const ResetReport& report) {
    if (!report.enable_login) return "It stays so: use --enable-login.";
    return report.dry_run ? "It would be changed." : "It was changed.";
}

std::string_view recovery_note(const ResetReport& report) {
    if (!report.needs_recovery) return "";
    if (!report.dry_run) return "The cluster was not shut down in order: the server recovered it first.\n";
    return "The cluster was not shut down in order: the server would recover it first. What its roles are is known only afterwards, so that\n"
           "nothing is said about them here.\n";
}

}  // namespace

std::string render_reset(const ResetReport& report) {
    std::string text(recovery_note(report));
    if (report.before) {
        text += render_role(*report.before);
        for (const LoginObstacle obstacle : report.obstacles) text += formatted("in the way: {} {}\n", describe(obstacle, *report.before), fate_of_obstacles(report));
    }
    for (const std::string& note : report.notes) text += note + "\n";
    if (!report.statement.empty()) text += formatted("would be run: {}\n", report.statement);
    if (report.dry_run) return text + "A new password would be stored for SCRAM-SHA-256. Nothing was changed.\n";
    if (report.kept) return text + formatted("Role {} has this password already. Nothing was changed.\n", quote_sql_identifier(report.role));
    return text + formatted("The new password is stored for SCRAM-SHA-256, with {} iterations. Start the server.\n", report.iterations);
}

std::string render_reset_json(const ResetReport& report, std::string_view password) {
    Json json = {{"role", report.role}, {"dry_run", report.dry_run}, {"needs_recovery", report.needs_recovery}};
    if (report.before) {
        json["oid"] = report.before->oid;
        json["superuser"] = report.before->superuser;
        json["old_password"] = to_string(kind_of_verifier(report.before->verifier));
        auto& obstacles = json["obstacles"] = Json::array();
        for (const LoginObstacle obstacle : report.obstacles) obstacles.push_back(to_string(obstacle));
        json["enable_login"] = report.enable_login;
    }
    if (!report.statement.empty()) json["statement"] = report.statement;
    if (report.kept) json["kept"] = true;
    else if (!report.dry_run) json["iterations"] = report.iterations;
    json["notes"] = report.notes;
    if (!password.empty()) json["password"] = password;
    // A name may be of any bytes.
    return render_json(json) + "\n";
}

}  // namespace steward

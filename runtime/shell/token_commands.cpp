#include "runtime/base/times.hpp"
#include "runtime/base/units.hpp"
#include "runtime/shell/command.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

time_point now() {
  return std::chrono::time_point_cast<time_point::duration>(std::chrono::system_clock::now());
}

time_point end_in(const arguments& args) {
  if (!args.has("--expires"))
    return {};
  const auto after = duration_from(args.get("--expires"));
  if (!after || *after <= duration{})
    throw usage_error{"--expires takes a duration, such as 12h or 90d"};
  return now() + *after;
}

std::vector<std::string> types_in(const arguments& args) {
  std::vector<std::string> types;
  for (auto rest = args.get("--type"); !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    types.push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  return types;
}

json json_of(const token_entry& token) {
  return {{"name", token.name},
          {"role", token.role},
          {"types", token.types},
          {"created", rfc3339(token.created)},
          {"expires", token.expires == time_point{} ? json(nullptr) : json(rfc3339(token.expires))}};
}

/// The token stands alone on standard output, so that `gnomon token create ... >file` keeps just it.
int create_token(session_context& context, const arguments& args) {
  if (!args.has("--role"))
    throw usage_error{"say what the token may do: --role read, write or admin"};
  const token_entry wish{args.positional[0], args.get("--role"), types_in(args), {}, end_in(args)};
  const auto text = context.wait(context.node().create_token_later(wish));
  if (context.json) {
    auto document = json_of(wish);
    document.erase("created");
    document["token"] = text;
    context.print(document);
    return done;
  }
  context.to.out << (args.has("--header") ? "Authorization: Bearer " : "") << text << std::endl;
  context.to.err << "keep it: it is shown only now; clients send it as Authorization: Bearer TOKEN\n";
  return done;
}

int list_tokens(session_context& context, const arguments&) {
  const auto tokens = context.wait(context.node().tokens_later());
  if (context.json) {
    json all = json::array();
    for (const auto& token : tokens)
      all.push_back(json_of(token));
    context.print(all);
    return done;
  }
  table t{{"NAME", "ROLE", "TYPES", "CREATED", "EXPIRES"}};
  for (const auto& token : tokens)
    t.row({token.name, token.role, token.types.empty() ? "all" : fmt::format("{}", fmt::join(token.types, ", ")),
           rfc3339(token.created), token.expires == time_point{} ? "never" : human_time(token.expires, now())});
  if (t.empty())
    context.to.err << "no tokens\n";
  else
    t.print(context.to);
  return done;
}

int revoke_token(session_context& context, const arguments& args) {
  context.wait(context.node().revoke_token_later(args.positional[0]));
  if (!context.json)
    context.to.out << "revoked on every node that can be reached\n";
  return done;
}

command token_create_command() {
  return {
      .name = "token create",
      .synopsis = "--role ROLE NAME",
      .summary = "make a token for a client of HTTP, known to every node at once",
      .details =
          R"(  ROLE is read, write (and read), or admin (everything: policies, removal of nodes, training, forgetting).
  The token is printed once. The nodes keep a hash of it, from which nobody finds the token.

  On a command line others could read it in the list of processes; curl -H @FILE takes it from a file.

  token create importer --role write --type news --type sports --expires 90d >importer.token
  token create reports --role read --header >reports.header
  curl -H @reports.header https://us-east-1.example:8101/data
)",
      .options = {{"--role", "ROLE", "read, write or admin"},
                  {"--type", "TYPE", "only items of that data type; may be given again", true},
                  {"--header", "", "print the whole field: Authorization: Bearer TOKEN"},
                  {"--expires", "DURATION", "ends after so long, such as 90d (default: never)"}},
      .least = 1,
      .most = 1,
      .run = create_token,
  };
}

command token_list_command() {
  return {
      .name = "token list",
      .synopsis = "",
      .summary = "list the tokens in force",
      .long_answer = true,
      .run = list_tokens,
  };
}

command token_revoke_command() {
  return {
      .name = "token revoke",
      .synopsis = "NAME",
      .summary = "end a token on every node, at once and for good",
      .least = 1,
      .most = 1,
      .run = revoke_token,
  };
}

} // namespace

std::vector<command> token_commands() {
  return {token_create_command(), token_list_command(), token_revoke_command()};
}

} // namespace gnomon::shell

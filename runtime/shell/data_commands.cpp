#include "runtime/base/ids.hpp"
#include "runtime/base/times.hpp"
#include "runtime/shell/command.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

constexpr uint32_t page_items = 1000;
constexpr uint64_t rows_for_a_person = 200;
constexpr uint64_t max_expiry_seconds = 100ull * 366 * 24 * 3600;

const option_spec user_option{"--user", "NAME", "on whose behalf"};
const option_spec request_id_option{"--request-id", "ID", "send the same ID again, and the write is carried out once"};
const option_spec if_match_option{"--if-match", "ETAG", "only while the item has this ETag"};
const option_spec acks_option{"--acks", "N|all", "copies that must have it on disk before the answer"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> types_by_ending{
    {{".txt", "text/plain; charset=utf-8"},
     {".md", "text/markdown; charset=utf-8"},
     {".html", "text/html; charset=utf-8"},
     {".css", "text/css; charset=utf-8"},
     {".csv", "text/csv; charset=utf-8"},
     {".js", "text/javascript; charset=utf-8"},
     {".json", "application/json"},
     {".png", "image/png"},
     {".jpg", "image/jpeg"},
     {".svg", "image/svg+xml"},
     {".pdf", "application/pdf"},
     {".gz", "application/gzip"}}};

std::string read_value_of(const std::string& file) {
  auto bytes = read_all(file, max_value_bytes);
  if (!bytes && code_of(bytes.error()) == ec::too_large)
    throw failure{ec::too_large, fmt::format("{} holds more than 64 MiB, the most that a value may have", file)};
  return or_throw(std::move(bytes));
}

struct read_value {
  std::string value;
  std::string type;
};

read_value read_file(const std::string& file) {
  for (auto& [ending, type] : types_by_ending)
    if (file.ends_with(ending))
      return {read_value_of(file), std::string{type}};
  return {read_value_of(file), "application/octet-stream"};
}

read_value read_input(session_context& context) {
  std::string value;
  context.input().next_bytes(value, max_value_bytes + 1);
  if (value.size() > max_value_bytes)
    throw failure{ec::too_large, "standard input holds more than 64 MiB, the most that a value may have"};
  return {std::move(value), "application/octet-stream"};
}

read_value value_from(session_context& context, const arguments& args) {
  auto given = args.positional.size() > 1;
  if (given && args.positional[1].starts_with('@') && args.positional[1].size() > 1)
    return read_file(args.positional[1].substr(1));
  if (given && args.positional[1] != "-")
    return {args.positional[1], "text/plain; charset=utf-8"};
  if (!given && ::isatty(STDIN_FILENO) == 1)
    throw usage_error{"put needs a value: put ID VALUE, put ID @FILE, or put ID - to type it and end with Ctrl-D"};
  return read_input(context);
}

uint32_t acks_from(const arguments& args) {
  auto text = args.get("--acks", "0");
  return text == "all" ? acks_of_all : static_cast<uint32_t>(parse_count(text, "--acks", 0, 64));
}

int print_receipt(session_context& context, const put_receipt& r, std::string_view verb) {
  context.remember(r.id, r.context);
  if (context.json)
    context.print({{"id", r.id},
                   {"created", r.created},
                   {"etag", r.etag},
                   {"context", r.context},
                   {"acks", r.acks},
                   {"served_by", r.served_by},
                   {"versions", r.versions}});
  else
    context.to.out << fmt::format("{} {} at {}, safe in {} cop{}\n", verb, printable(r.id), printable(r.served_by),
                                  r.acks, r.acks == 1 ? "y" : "ies");
  if (r.versions > 1 && !context.json)
    context.to.err << fmt::format(
        "it has {} versions now, none of which replaces another; put {} VALUE replaces them\n", r.versions,
        printable(quote_word(r.id)));
  return done;
}

/// An ETag, with or without its quotes, which shells eat.
std::string etag_from(const arguments& args, const std::string& option) {
  auto text = args.get(option);
  if (args.has(option) && text.empty())
    throw usage_error{option + " takes an ETag, as get --json prints it"};
  return text.empty() || text.starts_with('"') ? text : '"' + text + '"';
}

/// What put and del have in common.
put_options write_options(const arguments& args) {
  put_options options;
  options.user = args.get("--user");
  options.acks = acks_from(args);
  options.context = args.get("--context");
  options.if_match = etag_from(args, "--if-match");
  options.request_id = args.get("--request-id");
  if (args.has("--request-id") && options.request_id.empty())
    throw usage_error{"--request-id must not be empty"};
  return options;
}

time_point expiry_from(const arguments& args) {
  if (!args.has("--expires"))
    return {};
  auto seconds = parse_count(args.get("--expires"), "--expires", 1, max_expiry_seconds);
  auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return now + std::chrono::seconds{seconds};
}

int put(session_context& context, const arguments& args) {
  auto options = write_options(args);
  options.expires = expiry_from(args);
  options.if_absent = args.has("--if-none-match");
  if (options.if_absent && args.has("--if-match"))
    throw usage_error{"--if-match and --if-none-match exclude each other; give one of them"};
  auto conditional = options.if_absent || args.has("--if-match");
  options.replace = !args.has("--new-sibling") && !args.has("--context") && !conditional;
  auto [value, type] = value_from(context, args);
  options.content_type = args.get("--type", type);
  auto receipt = context.wait(context.node().put_later(args.positional[0], std::move(value), options));
  return print_receipt(context, receipt, receipt.created ? "created" : "wrote");
}

json to_json(const item_version& v, bool with_value) {
  json result;
  if (with_value)
    add_value(result, v.value);
  result["bytes"] = v.bytes;
  result["content_type"] = v.content_type;
  if (!v.user.empty())
    result["user"] = v.user;
  result["written"] = rfc3339(v.written);
  if (v.expires != time_point{})
    result["expires"] = rfc3339(v.expires);
  return result;
}

void print_json(session_context& context, const item& x) {
  json versions = json::array();
  for (auto& v : x.versions)
    versions.push_back(to_json(v, !x.unchanged));
  json all{{"id", x.id},     {"etag", x.etag},   {"context", x.context},     {"served_by", x.served_by},
           {"copy", x.copy}, {"stale", x.stale}, {"unchanged", x.unchanged}, {"offset", x.offset}};
  all["versions"] = std::move(versions);
  context.print(all);
}

/// As many whole characters of `text`, which is UTF-8, as fit into `bytes`.
std::string_view front_of(std::string_view text, size_t bytes) {
  while (bytes < text.size() && (text[bytes] & 0xC0) == 0x80)
    --bytes;
  return text.substr(0, bytes);
}

void print_siblings(session_context& context, const item& x) {
  auto& err = context.to.err;
  err << fmt::format("{} has {} versions that do not know of each other:\n", printable(x.id), x.versions.size());
  size_t number = 0;
  for (auto& v : x.versions) {
    err << fmt::format("\n  {}. written {}{}, {}, {}\n", ++number, rfc3339(v.written),
                       v.user.empty() ? "" : " by " + printable(v.user), printable(v.content_type),
                       human_bytes(v.value.size()));
    err << "     " << (is_utf8(v.value) ? printable(front_of(v.value, 500)) : "(not text)") << '\n';
  }
  err << fmt::format("\nTo resolve, write the one that holds: put {} VALUE replaces them all.\n",
                     printable(quote_word(x.id)));
}

void save(const std::string& file, const std::string& value) {
  output_file out{file, false};
  out.write_bytes(value);
  out.finish();
}

int print_value(session_context& context, const item& x, const arguments& args) {
  auto& value = x.versions.front().value;
  if (x.stale)
    context.to.err << "this may be out of date: the node is cut off from the others\n";
  if (args.has("-o")) {
    context.to.out.flush(); // before what may go to the same place
    save(args.get("-o"), value);
  } else if (!context.to.out_is_tty) {
    context.to.out << value;
  } else if (is_utf8(value)) {
    context.to.out << printable(value, "\n\t") << (value.ends_with('\n') ? "" : "\n");
  } else {
    context.to.err << fmt::format("{} of {}, not text; save it with -o FILE\n", human_bytes(value.size()),
                                  printable(x.versions.front().content_type));
  }
  return done;
}

int get(session_context& context, const arguments& args) {
  auto& id = args.positional[0];
  auto found = context.wait(context.node().get_later(id, {.user = args.get("--user"),
                                                          .context = args.get("--context", context.seen(id)),
                                                          .if_changed = etag_from(args, "--if-changed"),
                                                          .if_match = etag_from(args, "--if-match"),
                                                          .range = args.get("--range"),
                                                          .strong = args.has("--strong")}));
  if (!found)
    throw failure{ec::not_found, fmt::format("there is no item '{}'", id)};
  context.remember(id, found->context);
  auto single = found->versions.size() == 1 || found->unchanged;
  if (context.json)
    print_json(context, *found);
  else if (found->unchanged)
    context.to.err << "unchanged\n";
  else if (single)
    return print_value(context, *found, args);
  else
    print_siblings(context, *found);
  return single ? done : failed;
}

int del(session_context& context, const arguments& args) {
  return print_receipt(context, context.wait(context.node().del_later(args.positional[0], write_options(args))),
                       "deleted");
}

int count(session_context& context, const arguments& args) {
  auto prefix = args.positional.empty() ? std::string{} : args.positional[0];
  auto found = context.wait(context.node().count_later(prefix));
  if (context.json)
    context.print(
        {{"prefix", prefix}, {"here", found.here}, {"everywhere", found.everywhere}, {"complete", found.complete}});
  else
    context.to.out << fmt::format("{} here, {}{} everywhere\n", human_count(found.here),
                                  found.complete ? "" : "at least ", human_count(found.everywhere));
  return done;
}

void print_page(session_context& context, const item_list& page) {
  if (context.json) {
    for (auto& i : page.items)
      context.print_line({{"id", i.id},
                          {"bytes", i.bytes},
                          {"content_type", i.content_type},
                          {"role", i.role},
                          {"versions", i.versions}});
    return;
  }
  table t{{"ID", ">BYTES", "TYPE", "ROLE", "VERSIONS"}};
  for (auto& i : page.items)
    t.row({i.id, human_count(i.bytes), i.content_type, i.role,
           i.versions > 1 ? cell{std::to_string(i.versions), style::warning} : cell{""}});
  if (!t.empty())
    t.print(context.to);
}

int list(session_context& context, const arguments& args) {
  auto prefix = args.positional.empty() ? std::string{} : args.positional[0];
  auto after = args.get("--after");
  auto person = context.to.out_is_tty && !context.json;
  uint64_t left = args.has("--limit") ? parse_count(args.get("--limit"), "--limit", 1, UINT64_MAX)
                  : person            ? rows_for_a_person
                                      : UINT64_MAX;
  uint64_t shown = 0;
  for (bool more = true; more && left > 0 && !context.to.reader_gone();) {
    auto page = context.wait(
        context.node().list_later(prefix, after, static_cast<uint32_t>(std::min<uint64_t>(left, page_items))));
    print_page(context, page);
    more = page.more && !page.items.empty();
    shown += page.items.size();
    left -= std::min<uint64_t>(left, page.items.size());
    if (!page.items.empty())
      after = page.items.back().id;
    if (more && left == 0 && person)
      context.to.err << fmt::format("there are more; go on with: list {} --after {}\n",
                                    prefix.empty() ? "" : printable(quote_word(prefix)), printable(quote_word(after)));
  }
  if (shown == 0 && person)
    context.to.err << "nothing here\n";
  return done;
}

command put_command() {
  return {
      .name = "put",
      .synopsis = "ID [VALUE | @FILE | -]",
      .summary = "write an item, replacing what is there",
      .details =
          R"(  The value is the word itself, a file's content (@FILE), or standard input (-, or nothing in a pipe).
  What is there is read first and replaced; --new-sibling keeps it as a version beside the new one, and
  --context replaces just what that context covers. ETags and contexts are printed by get --json.

  put news/1 "hello world"
  put pictures/7 @cat.jpg --acks all
  put lock/1 mine --if-none-match
)",
      .options = {{"--type", "TYPE", "content type; by default from the file's name, or plain text"},
                  user_option,
                  acks_option,
                  {"--context", "CONTEXT", "replace what the read covered that gave this context"},
                  if_match_option,
                  {"--if-none-match", "", "only if there is no such item"},
                  request_id_option,
                  {"--expires", "SECONDS", "the item ends by itself after that long"},
                  {"--new-sibling", "", "do not replace: add a version"}},
      .least = 1,
      .most = 2,
      .offers = {offer::ids, offer::files},
      .run = put,
  };
}

command get_command() {
  return {
      .name = "get",
      .synopsis = "ID",
      .summary = "print an item's value",
      .details =
          R"(  Ends with status 1 when there is no such item, or when there are several versions that do not know of
  each other; these are shown, and put resolves them. What has not changed is no failure: nothing is printed or
  written then, and "unchanged" stands on standard error.

  get videos/1 --range 0-1048575 -o first-part
  get news/1 --if-changed "$etag"
)",
      .options = {user_option,
                  {"--context", "CONTEXT", "answer nothing older than this"},
                  {"--range", "RANGE", "a part of the value: 0-99, 100- or -100"},
                  {"--if-changed", "ETAG", "print the value only when the item has another ETag now"},
                  if_match_option,
                  {"--strong", "", "say that there is no such item only when every region was asked"},
                  {"-o", "FILE", "write the value there"}},
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .long_answer = true,
      .run = get,
  };
}

command del_command() {
  return {
      .name = "del",
      .synopsis = "ID",
      .summary = "delete an item everywhere",
      .options = {user_option,
                  acks_option,
                  {"--context", "CONTEXT", "delete what the read covered that gave this context"},
                  if_match_option,
                  request_id_option},
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .run = del,
  };
}

command list_command() {
  return {
      .name = "list",
      .synopsis = "[PREFIX]",
      .summary = "list the items that this node holds",
      .details = "  On a terminal it stops after 200 rows and says how to go on. With --json: one object a line.\n",
      .options = {{"--limit", "N", "stop after that many"}, {"--after", "ID", "begin behind this id"}},
      .most = 1,
      .offers = {offer::ids},
      .long_answer = true,
      .run = list,
  };
}

command count_command() {
  return {
      .name = "count",
      .synopsis = "[PREFIX]",
      .summary = "count the items that this node and all nodes hold",
      .details =
          "  Deleted items do not count. The items of a data type begin with its name and a slash: count news/\n",
      .most = 1,
      .offers = {offer::ids},
      .run = count,
  };
}

} // namespace

std::vector<command> data_commands() {
  return {put_command(), get_command(), del_command(), list_command(), count_command()};
}

} // namespace gnomon::shell

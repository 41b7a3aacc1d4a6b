#include "runtime/shell/completion.hpp"

#include <algorithm>
#include <filesystem>

namespace gnomon::shell {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> built_in{"connect", "help", "quit", "version"};
constexpr size_t most_candidates = 100;

void add(std::vector<std::string>& to, std::string word) {
  if (std::find(to.begin(), to.end(), word) == to.end())
    to.push_back(std::move(word));
}

/// First or second words of commands.
std::vector<std::string> command_words(const std::string& first) {
  std::vector<std::string> result;
  for (auto& c : command_table()) {
    auto space = c.name.find(' ');
    if (first.empty())
      add(result, c.name.substr(0, space));
    else if (space != c.name.npos && c.name.substr(0, space) == first)
      add(result, c.name.substr(space + 1));
  }
  return result;
}

std::vector<std::string> file_words(const std::string& word) {
  // @FILE in `put` is a file as well.
  auto at = word.starts_with('@') ? std::string{"@"} : std::string{};
  auto path = word.substr(at.size());
  auto slash = path.rfind('/');
  auto folder = slash == path.npos ? std::string{} : path.substr(0, slash + 1);
  std::vector<std::string> result;
  std::error_code failed;
  for (fs::directory_iterator i{folder.empty() ? "." : folder, failed}, end; !failed && i != end; i.increment(failed)) {
    auto name = folder + i->path().filename().string();
    if (name.starts_with(path) && result.size() < most_candidates)
      result.push_back(at + name + (i->is_directory(failed) ? "/" : ""));
  }
  return result;
}

template <class Source, class... Words>
std::vector<std::string> from(const Source& source, const Words&... words) {
  return source ? source(words...) : std::vector<std::string>{};
}

/// The names that a policy of that scope may have.
std::vector<std::string> names_in(const std::string& scope, const std::string& word,
                                  const completion_sources& sources) {
  if (scope == "item")
    return from(sources.ids, word);
  auto names = scope == "default" ? std::vector<std::string>{} : from(sources.policies, scope);
  if (scope == "type")
    for (auto& type : from(sources.types, word))
      add(names, std::move(type));
  return names;
}

/// `before`: the positional words of the command so far.
std::vector<std::string> offered(offer what, const std::vector<std::string>& before, const std::string& word,
                                 const completion_sources& sources) {
  switch (what) {
  case offer::ids:
    return from(sources.ids, word);
  case offer::regions:
    return from(sources.regions);
  case offer::nodes:
    return from(sources.nodes);
  case offer::sockets:
    return from(sources.sockets);
  case offer::scopes:
    return {"default", "item", "type", "user"};
  case offer::scoped:
    return before.empty() ? std::vector<std::string>{} : names_in(before.back(), word, sources);
  case offer::policies:
    return before.empty() ? std::vector<std::string>{} : from(sources.policies, before.back());
  case offer::files:
    return file_words(word);
  case offer::nothing:
    break;
  }
  return {};
}

std::vector<std::string> values_of(const option_spec& option, const std::string& word,
                                   const completion_sources& sources) {
  if (option.placeholder == "N|all")
    return {"all"};
  auto kind = option.placeholder == "REGION" ? offer::regions
              : option.placeholder == "FILE" ? offer::files
                                             : offer::nothing;
  return offered(kind, {}, word, sources);
}

/// What may follow a complete command: an option's name, an option's value, or a positional word.
std::vector<std::string> words_for(const command& what, const std::vector<std::string>& before, const std::string& word,
                                   const completion_sources& sources) {
  auto options = what.options;
  options.insert(options.end(), common_options().begin(), common_options().end());
  auto taking_value = [&](std::string_view name) {
    return std::find_if(options.begin(), options.end(),
                        [&](auto& o) { return o.name == name && !o.placeholder.empty(); });
  };
  std::vector<std::string> result, positional;
  if (auto option = taking_value(before.empty() ? "" : before.back()); option != options.end())
    return values_of(*option, word, sources);
  if (auto equals = word.find('='); word.starts_with('-') && equals != word.npos) {
    auto option = taking_value(word.substr(0, equals));
    if (option != options.end())
      for (auto& value : values_of(*option, word.substr(equals + 1), sources))
        result.push_back(word.substr(0, equals + 1) + value);
    return result;
  }
  if (word.starts_with('-')) {
    for (auto& o : options)
      if (o.many || std::find(before.begin(), before.end(), o.name) == before.end())
        result.push_back(o.name);
    return result;
  }
  for (size_t i = 0; i < before.size(); ++i)
    if (taking_value(before[i]) != options.end())
      ++i;
    else if (!before[i].starts_with('-'))
      positional.push_back(before[i]);
  auto position = positional.size();
  return position < what.offers.size() ? offered(what.offers[position], positional, word, sources) : result;
}

/// Calls `found` with the place of each blank that separates words.
template <class F>
void find_blanks(std::string_view line, F found) {
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && quote != '\'')
      ++i;
    else if (quote)
      quote = line[i] == quote ? 0 : quote;
    else if (line[i] == '\'' || line[i] == '"')
      quote = line[i];
    else if (line[i] == ' ' || line[i] == '\t')
      found(i);
  }
}

/// Where the last word begins; a quote that is open keeps it going over blanks.
size_t word_begin(std::string_view line) {
  size_t begin = 0;
  find_blanks(line, [&](size_t at) { begin = at + 1; });
  return begin;
}

std::string unquoted(std::string_view word) {
  for (std::string_view closing : {"", "\"", "'"})
    try {
      auto words = split_words(std::string{word} + std::string{closing});
      return words.empty() ? std::string{} : words.front();
    } catch (const usage_error&) {
    }
  return std::string{word};
}

} // namespace

completions complete(std::string_view line, const completion_sources& sources) {
  completions result;
  result.begin = word_begin(line);
  auto word = unquoted(line.substr(result.begin));
  auto before = split_words(line.substr(0, result.begin));
  std::vector<std::string> words;
  if (before.empty()) {
    words = command_words({});
    words.insert(words.end(), built_in.begin(), built_in.end());
  } else if (before[0] == "help") {
    words = command_words(before.size() > 1 ? before[1] : std::string{});
  } else if (before[0] == "connect") {
    words = before.size() == 1 ? from(sources.sockets) : words;
  } else if (auto [what, count] = find_command(before); what) {
    words = words_for(*what, {before.begin() + count, before.end()}, word, sources);
  } else if (before.size() == 1) {
    words = command_words(before[0]);
  }
  std::sort(words.begin(), words.end());
  for (auto& w : words)
    if (w.starts_with(word) && result.candidates.size() < most_candidates)
      result.candidates.push_back(quote_word(w));
  return result;
}

size_t word_end(std::string_view line, size_t cursor) {
  auto end = line.size();
  find_blanks(line, [&](size_t at) { end = at >= cursor ? std::min(end, at) : end; });
  return end;
}

std::string common_prefix(const std::vector<std::string>& words) {
  if (words.empty())
    return {};
  const auto& first = words.front();
  auto prefix = first;
  for (auto& w : words)
    prefix.resize(std::mismatch(prefix.begin(), prefix.end(), w.begin(), w.end()).first - prefix.begin());
  while (prefix.size() < first.size() && (first[prefix.size()] & 0xC0) == 0x80)
    prefix.pop_back();
  if (prefix.starts_with('"'))
    for (size_t i = 1, length = 1; i < prefix.size(); i += length) {
      length = prefix[i] != '\\' ? 1 : i + 1 < first.size() && first[i + 1] == 'x' ? 4 : 2;
      if (i + length > prefix.size())
        prefix.resize(i);
    }
  return prefix;
}

} // namespace gnomon::shell

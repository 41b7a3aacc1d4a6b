#include "runtime/shell/completion.hpp"

#include <algorithm>
#include <filesystem>

namespace gnomon::shell {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> built_in{"help", "quit"};
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

std::vector<std::string> offered(offer what, const std::string& word, const completion_sources& sources) {
  switch (what) {
  case offer::ids:
    return sources.ids ? sources.ids(word) : std::vector<std::string>{};
  case offer::regions:
    return sources.regions ? sources.regions() : std::vector<std::string>{};
  case offer::scopes:
    return {"default", "item", "type", "user"};
  case offer::files:
    return file_words(word);
  case offer::commands:
    return command_words({});
  case offer::nothing:
    break;
  }
  return {};
}

/// What may follow a complete command: an option's name, an option's value, or a positional word.
std::vector<std::string> words_for(const command& what, const std::vector<std::string>& before, const std::string& word,
                                   const completion_sources& sources) {
  auto takes_value = [&](const std::string& w) {
    return std::any_of(what.options.begin(), what.options.end(),
                       [&](auto& o) { return o.name == w && !o.placeholder.empty(); });
  };
  if (!before.empty() && takes_value(before.back())) {
    auto option =
        std::find_if(what.options.begin(), what.options.end(), [&](auto& o) { return o.name == before.back(); });
    auto kind = option->placeholder == "REGION" ? offer::regions
                : option->placeholder == "FILE" ? offer::files
                                                : offer::nothing;
    return offered(kind, word, sources);
  }
  if (word.starts_with('-')) {
    std::vector<std::string> names{"--json", "--help"};
    for (auto& o : what.options)
      names.push_back(o.name);
    return names;
  }
  size_t position = 0;
  for (size_t i = 0; i < before.size(); ++i)
    if (takes_value(before[i]))
      ++i;
    else if (!before[i].starts_with('-'))
      ++position;
  return position < what.offers.size() ? offered(what.offers[position], word, sources) : std::vector<std::string>{};
}

/// Where the word before the cursor begins; a quote that is open keeps it going over blanks.
size_t word_begin(std::string_view line) {
  size_t begin = 0;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && quote != '\'')
      ++i;
    else if (quote)
      quote = line[i] == quote ? 0 : quote;
    else if (line[i] == '\'' || line[i] == '"')
      quote = line[i];
    else if (line[i] == ' ' || line[i] == '\t')
      begin = i + 1;
  }
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

std::string common_prefix(const std::vector<std::string>& words) {
  if (words.empty())
    return {};
  auto prefix = words.front();
  for (auto& w : words)
    prefix.resize(std::mismatch(prefix.begin(), prefix.end(), w.begin(), w.end()).first - prefix.begin());
  return prefix;
}

} // namespace gnomon::shell

#include "runtime/shell/words.hpp"

#include "runtime/base/nearest.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace gnomon::shell {

namespace {

struct unclosed_quote : usage_error {
  using usage_error::usage_error;
};

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view needs_quotes = " \t\r\n'\"\\";

constexpr std::array<std::pair<char, char>, 5> escapes{
    {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}}};

/// Reads what a backslash before `at` stands for; returns the place behind it.
size_t read_escape(std::string_view line, size_t at, std::string& word) {
  auto known = std::find_if(escapes.begin(), escapes.end(), [&](auto& e) { return e.first == line[at]; });
  uint8_t code = 0;
  auto digits = line.substr(std::min(at + 1, line.size()), 2);
  auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (line[at] == 'x' && wrong == std::errc{} && end == digits.data() + 2) {
    word += static_cast<char>(code);
    return at + 3;
  }
  if (line[at] == '\n')
    return at + 1;
  word += known != escapes.end() ? std::string{known->second} : std::string{'\\', line[at]};
  return at + 1;
}

/// Reads what stands between quotes from `at`, which follows the opening one; returns the place behind the closing one.
size_t read_quoted(std::string_view line, size_t at, char quote, std::string& word) {
  while (at < line.size()) {
    if (line[at] == quote)
      return at + 1;
    if (quote == '"' && line[at] == '\\' && at + 1 < line.size())
      at = read_escape(line, at + 1, word);
    else
      word += line[at++];
  }
  throw unclosed_quote{fmt::format("the quote {} is never closed", quote)};
}

size_t read_word(std::string_view line, size_t at, std::string& word) {
  while (at < line.size() && blanks.find(line[at]) == blanks.npos) {
    if (line[at] == '\'' || line[at] == '"') {
      at = read_quoted(line, at + 1, line[at], word);
      continue;
    }
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\n') {
      at += 2;
      continue;
    }
    if (line[at] == '\\' && at + 1 < line.size())
      ++at;
    word += line[at++];
  }
  return at;
}

} // namespace

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  for (size_t at = 0; (at = line.find_first_not_of(blanks, at)) != line.npos;)
    at = read_word(line, at, words.emplace_back());
  return words;
}

bool goes_on(std::string_view line) {
  try {
    split_words(line);
  } catch (const unclosed_quote&) {
    return true;
  }
  auto last = line.find_last_not_of('\\');
  auto backslashes = line.size() - (last == line.npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

std::string quote_word(std::string_view word) {
  auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; };
  if (!word.empty() && word.find_first_of(needs_quotes) == word.npos
      && std::none_of(word.begin(), word.end(), is_control))
    return std::string{word};
  std::string quoted = "\"";
  for (char c : word) {
    auto known = std::find_if(escapes.begin(), escapes.end(), [&](auto& e) { return e.second == c; });
    if (known != escapes.end())
      quoted += {'\\', known->first};
    else if (is_control(c))
      quoted += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string arguments::get(const std::string& option, std::string fallback) const {
  auto found = options.find(option);
  return found == options.end() ? std::move(fallback) : found->second;
}

namespace {

std::string no_option(const std::string& name, const std::vector<option_spec>& specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs)
    names.push_back(spec.name);
  if (auto meant = nearest(name, names); !meant.empty())
    return fmt::format("there is no option {} here; did you mean {}?", name, meant);
  return fmt::format("there is no option {} here; write -- before a word that begins with a dash", name);
}

} // namespace

arguments parse_arguments(const std::vector<std::string>& words, const std::vector<option_spec>& specs) {
  arguments result;
  for (size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    if (word == "--") {
      result.positional.insert(result.positional.end(), words.begin() + i + 1, words.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      result.positional.push_back(word);
      continue;
    }
    auto equals = word.find('=');
    auto name = word.substr(0, equals);
    auto spec = std::find_if(specs.begin(), specs.end(), [&](auto& s) { return s.name == name; });
    if (spec == specs.end())
      throw usage_error{no_option(name, specs)};
    std::string value;
    if (spec->placeholder.empty()) {
      if (equals != word.npos)
        throw usage_error{fmt::format("{} takes no value", name)};
    } else if (equals != word.npos) {
      value = word.substr(equals + 1);
    } else if (++i < words.size()) {
      value = words[i];
    } else {
      throw usage_error{fmt::format("{} needs a value: {} {}", name, name, spec->placeholder)};
    }
    auto [given, first] = result.options.emplace(name, value);
    if (!first && !spec->many)
      throw usage_error{fmt::format("{} is given twice", name)};
    if (!first)
      given->second += ',' + value;
  }
  return result;
}

uint64_t parse_count(const std::string& text, const std::string& what, uint64_t least, uint64_t most) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    throw usage_error{fmt::format("{} must be a whole number from {} to {}, not '{}'", what, least, most, text)};
  return value;
}

double parse_real(const std::string& text, const std::string& what, double least, double most) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  auto bad = text.empty() || error != std::errc{} || end != text.data() + text.size();
  if (bad || !std::isfinite(value) || value < least || value > most)
    throw usage_error{fmt::format("{} must be a number from {} to {}, not '{}'", what, least, most, text)};
  return value;
}

} // namespace gnomon::shell

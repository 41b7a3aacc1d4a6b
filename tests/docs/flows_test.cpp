// The pages of docs/flows name files that exist and, in them, functions that exist.
#define CAF_SUITE flows
#include <caf/test/dsl.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The first group of each match.
std::vector<std::string> find_all(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator i{text.begin(), text.end(), pattern}, end; i != end; ++i)
    found.push_back((*i)[1]);
  return found;
}

/// What a cell such as "`router_state::to_item`, `forward` in `actors/region/router.cpp`; ..." names.
void check_cell(const std::string& page, const std::string& cell) {
  static const std::regex names{R"(`([\w:~]+)`)"}, place{R"( in `([\w/.]+)`)"};
  std::istringstream parts{cell};
  for (std::string part; std::getline(parts, part, ';');) {
    std::smatch where;
    if (!std::regex_search(part, where, place))
      continue;
    auto source = text_of(fs::path{GNOMON_SOURCE} / where[1].str());
    for (const auto& name : find_all(where.prefix(), names)) {
      auto last = name.substr(name.rfind(':') == std::string::npos ? 0 : name.rfind(':') + 1);
      if (source.find(last) == std::string::npos)
        CAF_ERROR(page << " names " << name << ", which " << where[1] << " does not have");
    }
  }
}

} // namespace

CAF_TEST(files_that_the_pages_name_exist) {
  static const std::regex path{R"(`((?:actors|learning|storage|runtime|tests|configs)/[\w./-]*\w)`)"};
  size_t named = 0;
  for (const auto& entry : fs::recursive_directory_iterator{fs::path{GNOMON_SOURCE} / "docs"}) {
    if (entry.path().extension() != ".md")
      continue;
    for (const auto& file : find_all(text_of(entry.path()), path)) {
      ++named;
      auto whole = fs::path{GNOMON_SOURCE} / file;
      if (!fs::exists(whole) && !fs::exists(whole.string() + ".hpp") && !fs::exists(whole.string() + ".cpp"))
        CAF_ERROR(entry.path().filename() << " names " << file << ", which does not exist");
    }
  }
  CAF_CHECK(named > 100);
}

CAF_TEST(functions_that_the_flows_name_are_in_their_files) {
  size_t rows = 0;
  for (const auto& entry : fs::directory_iterator{fs::path{GNOMON_SOURCE} / "docs/flows"}) {
    std::istringstream lines{text_of(entry.path())};
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("| "))
        continue;
      ++rows;
      auto end = line.rfind('|');
      check_cell(entry.path().filename(), line.substr(line.rfind('|', end - 1) + 1, end));
    }
  }
  CAF_CHECK(rows > 100);
}

#include "learning/text_file.hpp"

#include <zlib.h>

namespace gnomon::learning {

void text_file::closer::operator()(void* file) const {
  gzclose(static_cast<gzFile>(file));
}

expected<text_file> text_file::open(const std::string& path) {
  text_file result;
  result.file_.reset(gzopen(path.c_str(), "rb"));
  if (!result.file_)
    return make_error(ec::not_found, "cannot open '" + path + "': check the path and who may read it");
  gzbuffer(static_cast<gzFile>(result.file_.get()), 1 << 18);
  return result;
}

bool text_file::next(std::string& line) {
  constexpr size_t longest = 1 << 20;
  line.clear();
  char buffer[4096];
  while (line.size() < longest && gzgets(static_cast<gzFile>(file_.get()), buffer, sizeof buffer) != nullptr) {
    line += buffer;
    if (line.back() == '\n')
      break;
  }
  if (line.empty())
    return false;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.pop_back();
  return true;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  while (true) {
    auto begin = line.find_first_not_of(" \t");
    if (begin == line.npos)
      return result;
    line.remove_prefix(begin);
    auto end = std::min(line.find_first_of(" \t"), line.size());
    result.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::vector<std::string_view> cells(std::string_view line, char separator) {
  std::vector<std::string_view> result;
  for (size_t begin = 0; begin <= line.size();) {
    auto end = std::min(line.find(separator, begin), line.size());
    result.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

} // namespace gnomon::learning

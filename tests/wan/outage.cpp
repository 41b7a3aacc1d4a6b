// outage GNOMOND ROUND_TRIPS [--full] [--json] [--only NAME] [--keep DIRECTORY]: five regions with real distances
// between them lose their connections, freeze and die while applications write and read; every acknowledged write has
// to be there afterwards. Exit status: 0 all well, 1 something was lost or did not come back, 77 not possible here.
#include "tests/wan/trial.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace gnomon::wan {

using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

namespace {

constexpr int skipped = 77;
constexpr trial_size small{200, 50, 10, 1s, 4s, 3s, 60s, false};
constexpr trial_size whole{20'000, 500, 20, 5s, 30s, 30s, 120s, true};

struct command_line {
  plan how;
  bool full = false;
  bool as_json = false;
  std::string only;
  std::string keep;
};

int usage() {
  std::cerr
      << "usage: outage GNOMOND ROUND_TRIPS [--full] [--json] [--only partition|freeze|kill] [--keep DIRECTORY]\n";
  return 2;
}

bool parse(int argc, char** argv, command_line& line) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2)
    return false;
  line.how.gnomond = words[0];
  line.how.round_trips = words[1];
  for (size_t i = 2; i < words.size(); ++i) {
    auto value = i + 1 < words.size() ? words[i + 1] : std::string{};
    if (words[i] == "--full")
      line.full = true;
    else if (words[i] == "--json")
      line.as_json = true;
    else if (auto target = words[i] == "--only"   ? &line.only
                           : words[i] == "--keep" ? &line.keep
                                                  : nullptr;
             target && !value.empty()) {
      *target = value;
      ++i;
    } else
      return false;
  }
  return line.only.empty() || line.only == "partition" || line.only == "freeze" || line.only == "kill";
}

/// A directory of our own, which goes with the object unless it was named.
struct work_directory {
  explicit work_directory(std::string named) : path(std::move(named)), kept(!path.empty()) {
    if (!kept) {
      path = (std::filesystem::temp_directory_path() / "gnomon-wan-XXXXXX").string();
      if (!::mkdtemp(path.data()))
        throw std::runtime_error{"no directory for the nodes can be made in " + path};
    }
    std::filesystem::create_directories(path);
  }
  ~work_directory() {
    std::error_code ignored;
    if (!kept)
      std::filesystem::remove_all(path, ignored);
  }
  std::string path;
  bool kept;
};

/// "detected_after_s: 2.9" for each figure, indented by depth.
void print(const json& facts, const std::string& indent) {
  for (const auto& [name, value] : facts.items())
    if (value.is_object()) {
      std::cout << indent << name << ":\n";
      print(value, indent + "  ");
    } else {
      std::cout << indent << name << ": " << value << "\n";
    }
}

int run(const command_line& line) {
  const auto& size = line.full ? whole : small;
  work_directory place{line.keep};
  auto how = line.how;
  how.directory = place.path;
  how.settings = {"cluster.name=wan", "cluster.insecure=true", "http.threads=1", "shadows.idle=5s",
                  "repair.after=" + std::to_string(size.repair_after.count()) + "ms"};
  trial one{how, size};
  one.fill();
  json result;
  auto wanted = [&](const std::string& name) { return line.only.empty() || line.only == name; };
  auto take = [&](const std::string& name, json facts) {
    if (!line.as_json) {
      std::cout << name << ":\n";
      print(facts, "  ");
    }
    result[name] = std::move(facts);
  };
  if (wanted("partition"))
    take("partition", one.partition());
  if (wanted("freeze"))
    take("freeze", one.freeze());
  if (wanted("kill")) {
    take("kill", one.kill());
    take("remove", one.remove());
  }
  result["problems"] = one.problems();
  if (line.as_json)
    std::cout << result.dump(2) << "\n";
  for (const auto& problem : one.problems())
    std::cerr << "FAILED: " << problem << "\n";
  return one.problems().empty() ? 0 : 1;
}

} // namespace

int outage(int argc, char** argv) {
  command_line line;
  if (!parse(argc, argv, line))
    return usage();
  try {
    return run(line);
  } catch (const not_possible& e) {
    std::cerr << "skipped: " << e.what() << "\n";
    return skipped;
  } catch (const std::exception& e) {
    std::cerr << "outage: " << e.what() << "\n";
    return 1;
  }
}

} // namespace gnomon::wan

int main(int argc, char** argv) {
  return gnomon::wan::outage(argc, argv);
}

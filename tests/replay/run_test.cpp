#define CAF_SUITE run
#include "runtime/replay/run.hpp"

#include "temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <caf/test/dsl.hpp>

#include <filesystem>
#include <fstream>

using namespace gnomon::replay;

namespace {

/// Nodes that have kept what they learned: those that predicted.
size_t nodes_that_learned(const std::filesystem::path& pass) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{pass})
    count += entry.path().filename() == "learned";
  return count;
}

} // namespace

// Real nodes, started as ./dev run starts them; GNOMON_BIN is where gnomond is.

CAF_TEST(five_regions_answer_every_read_and_copies_make_more_of_them_local) {
  temporary_folder folder;
  auto file = (folder.path() / "figures.json").string(), html = (folder.path() / "page.html").string();
  auto status = replay_main({"run", "--bin", GNOMON_BIN, "--configs", GNOMON_CONFIGS "/five-regions", "--reads", "600",
                             "--time-scale", "8640", "--value-bytes", "2000", "--quiet", "--json", file, "--report",
                             html, "--keep", folder.path() / "work"});
  CAF_CHECK_EQUAL(status, 0);
  auto figures = nlohmann::json::parse(std::ifstream(file), nullptr, false);
  CAF_REQUIRE(figures.is_object());
  const auto& origin = figures["origin_only"];
  const auto& everywhere = figures["everywhere"];
  CAF_CHECK_EQUAL(everywhere["copies_at_end"], 5.0);
  CAF_CHECK(everywhere["local_share"] > 0.95); // a copy that waits for an update asks elsewhere
  CAF_CHECK_EQUAL(everywhere["updates"], 30);
  CAF_CHECK(everywhere["cost"]["moved"] > 0);
  CAF_CHECK(everywhere["cost"]["stored"] > origin["cost"]["stored"]);
  CAF_CHECK(origin["cost"]["latency"] > figures["cost"]["latency"]);
  CAF_CHECK(std::filesystem::file_size(html) > 10'000);
  CAF_CHECK_EQUAL(figures["reads"], 600);
  CAF_CHECK_EQUAL(origin["reads"], 600);
  CAF_CHECK_EQUAL(origin["copies_per_item"], 1.0);
  CAF_CHECK(figures["copies_per_item"] > 1.9);
  CAF_CHECK(figures["local_share"] > origin["local_share"]);
  CAF_CHECK(figures["bytes_moved"] > 0);
  CAF_CHECK_EQUAL(origin["copied_ahead"], 0);
  CAF_CHECK_EQUAL(nodes_that_learned(folder.path() / "work" / "gnomon"), 5u);
  CAF_CHECK_EQUAL(nodes_that_learned(folder.path() / "work" / "origin-only"), 0u);
  const auto notes = figures["notes"].dump();
  CAF_CHECK(notes.find("gnomon ran with") != std::string::npos);
  CAF_CHECK(notes.find("origin only ran with") != std::string::npos);
  CAF_CHECK(notes.find("prediction.enabled=false") != std::string::npos);
}

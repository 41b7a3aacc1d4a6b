// Trained models, which nodes exchange, and what a node has learned, which it keeps.
#include "learning/base/archive.hpp"
#include "learning/demand/demand_model.hpp"
#include "learning/user/user_model.hpp"
#include "runtime/base/ids.hpp"
#include "tests/fuzz/target.hpp"

#include <cmath>

namespace gnomon::fuzz {
namespace {

using namespace learning;

constexpr size_t kind_at = 8, version_at = 12, length_at = 16, sum_at = 24, header_bytes = 32;

/// The file with the lengths and checksums that its pieces should have.
std::string sealed(std::string_view file) {
  std::string result;
  while (file.size() >= header_bytes) {
    reader fields{file.substr(kind_at)};
    uint32_t kind = 0, version = 0;
    uint64_t length = 0;
    fields.get(kind);
    fields.get(version);
    fields.get(length);
    const auto payload = file.substr(header_bytes, length);
    writer sizes;
    sizes.put(static_cast<uint64_t>(payload.size()));
    sizes.put(stable_hash(payload, uint64_t{version} << 32 | kind));
    result.append(file.substr(0, length_at)).append(sizes.take()).append(payload);
    file.remove_prefix(header_bytes + payload.size());
  }
  return result.append(file);
}

user_model small_model() {
  user_model_config config;
  config.max_users = 50;
  config.max_items = 100;
  config.counts.pair_rows = 64;
  return user_model{config};
}

void teach(user_model& model) {
  for (uint32_t i = 0; i < 30; ++i) {
    model.observe(i % 3 == 0 ? "u" : "v", "item/" + std::to_string(i % 7), static_cast<uint8_t>(i % 2),
                  1'700'000'000 + i);
    for (const auto& guess : model.predict("u"))
      require(guess.next >= 0 && guess.next <= 1 && guess.useful >= 0 && guess.useful <= 1, "a probability is one");
  }
}

void teach(demand_model& model) {
  std::vector<demand_estimate> estimates;
  for (uint32_t i = 0; i < 20; ++i) {
    model.read("item/" + std::to_string(i % 3), i % 4, 1'700'000'000 + i * 600);
    model.estimate("item/1", 4, 1'700'000'000 + i * 600, estimates);
    for (const auto& estimate : estimates)
      for (auto p : estimate)
        require(p >= 0 && p <= 1, "a probability is one");
  }
}

void use(std::string_view file) {
  if (auto parts = parts_from_file(file)) {
    auto model = small_model();
    model.adopt(*parts);
    teach(model);
    to_file(*parts);
  }
  if (auto parts = demand_from_file(file)) {
    to_file(*parts);
    demand_model model{{.max_items = 50, .max_groups = 10}, 1};
    model.adopt(std::move(*parts));
    teach(model);
  }
  auto model = small_model();
  if (!model.restore(file)) {
    teach(model);
    model.forget("u");
    model.to_file();
  }
}

void read(std::string_view input) {
  use(sealed(input));
}

sequence_model small_network() {
  sequence_weights w;
  w.units = 16;
  for (auto [part, size] :
       {std::pair{&w.items, size_t{32}}, std::pair{&w.biases, size_t{2}}, std::pair{&w.gaps, gap_classes * 16},
        std::pair{&w.wx, size_t{3 * 256}}, std::pair{&w.wh, size_t{3 * 256}}, std::pair{&w.bx, size_t{48}},
        std::pair{&w.bh, size_t{48}}})
    part->assign(size, 0.1f);
  return sequence_model{std::move(w)};
}

mlp small_ranker(uint32_t inputs, uint32_t outputs) {
  mlp_weights w{inputs, 8, 8, outputs};
  w.w1.assign(inputs * 8, 0.1f);
  w.b1.assign(8, 0.0f);
  w.w2.assign(64, 0.1f);
  w.b2.assign(8, 0.0f);
  w.w3.assign(8 * outputs, 0.1f);
  w.b3.assign(outputs, 0.0f);
  return mlp{std::move(w)};
}

boosted_trees small_trees() {
  tree_weights w{demand_feature_count, 4, 1};
  w.base.assign(4, 0.0f);
  w.features = {1, 2};
  w.thresholds = {0.5f, 1.0f};
  w.leaves.assign(2 * 2 * 4, 0.1f);
  return boosted_trees{std::move(w)};
}

std::vector<std::string> examples() {
  model_parts users;
  users.version = 3;
  users.network = small_network();
  users.item_names = {"item/1", "item/2"};
  users.ranker = small_ranker(feature_count, 2);
  demand_parts with_network, with_trees;
  with_network.network = small_ranker(demand_feature_count, 4);
  with_trees.trees = small_trees();
  auto model = small_model();
  teach(model);
  return {to_file(users), to_file(model_parts{}), to_file(with_network), to_file(with_trees), model.to_file()};
}

const listed this_target{"models", read, examples};

} // namespace
} // namespace gnomon::fuzz

#include "learning/demand/demand_model.hpp"

#include "learning/base/kernels.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr uint32_t demand_version = 2;
constexpr size_t max_tracked = 100'000; // about 350 B each
constexpr size_t stride = padded(max_demand_regions);

// Estimates until a first training: what the region's share of the reads elsewhere makes one expect.
void estimate_by_formula(const float* columns, size_t stride, size_t count, float* logits) {
  for (size_t r = 0; r < count; ++r) {
    auto value = [&](demand_feature f) { return columns[static_cast<size_t>(f) * stride + r]; };
    const float expected = std::exp2(value(demand_feature::expected_6h)) + std::exp2(value(demand_feature::own_24h));
    const float p = 0.5f * value(demand_feature::follows_any) + 0.5f * (1 - std::exp(-expected));
    for (size_t h = 0; h < demand_horizons.size(); ++h) {
      const float reach = std::clamp(p * (0.4f + 0.2f * static_cast<float>(h)), 1e-4f, 0.99f);
      logits[h * stride + r] = std::log(reach / (1 - reach));
    }
  }
}

void run(const demand_parts& parts, const float* columns, size_t count, float* logits) {
  switch (parts.kind()) {
  case demand_kind::trees:
    return parts.trees.run(columns, stride, count, logits);
  case demand_kind::network:
    return parts.network.run(columns, stride, count, logits);
  case demand_kind::formula:
    return estimate_by_formula(columns, stride, count, logits);
  }
}

} // namespace

void score_demand(const demand_parts& parts, const float* features, float* logits) {
  std::array<float, demand_feature_count * stride> columns{};
  std::array<float, demand_horizons.size() * stride> scores;
  for (size_t f = 0; f < demand_feature_count; ++f)
    columns[f * stride] = features[f];
  run(parts, columns.data(), 1, scores.data());
  for (size_t h = 0; h < demand_horizons.size(); ++h)
    logits[h] = scores[h * stride];
}

std::string_view name(demand_kind kind) {
  switch (kind) {
  case demand_kind::network:
    return "network";
  case demand_kind::trees:
    return "trees";
  case demand_kind::formula:
    break;
  }
  return "formula";
}

std::string to_file(const demand_parts& parts) {
  writer out;
  out.put(parts.version);
  parts.network.save(out);
  parts.trees.save(out);
  out.put(parts.contest);
  out.put(parts.measured);
  for (auto& c : parts.calibration)
    c.save(out);
  return seal(model_kind::demand, demand_version, out.take());
}

expected<demand_parts> demand_from_file(std::string_view file) {
  auto payload = unseal(file, model_kind::demand, demand_version, demand_version);
  if (!payload)
    return payload.error();
  reader in{*payload};
  demand_parts parts;
  in.get(parts.version);
  auto network = mlp::load(in);
  if (!network)
    return network.error();
  parts.network = std::move(*network);
  auto trees = boosted_trees::load(in);
  if (!trees)
    return trees.error();
  parts.trees = std::move(*trees);
  in.get(parts.contest);
  in.get(parts.measured);
  for (auto& c : parts.calibration)
    c.load(in);
  const auto fits = [](const auto& model) {
    return !model || (model.inputs() == demand_feature_count && model.outputs() == demand_horizons.size());
  };
  if (!in.good() || !in.at_end() || !fits(parts.network) || !fits(parts.trees))
    return make_error(ec::bad_message, "the demand model does not have the shape this program expects: train it again");
  return parts;
}

demand_model::demand_model(const demand_config& config, size_t track_every)
    : counts_(config), track_every_(std::max<size_t>(track_every, 1)),
      tracked_({demand_horizons.begin(), demand_horizons.end()}, max_tracked) {}

std::string demand_model::key_of(std::string_view item, size_t region) {
  std::string key{item};
  key += '\0';
  key += static_cast<char>(region);
  return key;
}

void demand_model::read(std::string_view item, size_t region, uint32_t time) {
  tracked_.advance(time, parts_.calibration);
  counts_.read(item, region, time);
  tracked_.came(key_of(item, region), time);
}

void demand_model::written(std::string_view item, size_t region, uint32_t time) {
  counts_.written(item, region, time);
}

void demand_model::score(size_t count) {
  logits_.resize(demand_horizons.size() * stride);
  run(parts_, columns_.data(), count, logits_.data());
}

demand_estimate demand_model::said(std::string_view item, size_t region, size_t column, uint32_t time) {
  demand_estimate result;
  float least = 0;
  for (size_t h = 0; h < demand_horizons.size(); ++h)
    result[h] = least = std::max(least, parts_.calibration[h](logits_[h * stride + column]));
  if (counts_.absent(item, region, time) && ++estimated_ % track_every_ == 0)
    track(item, region, column, time);
  return result;
}

void demand_model::estimate(std::string_view item, size_t count, uint32_t time, std::vector<demand_estimate>& out) {
  out.assign(count, {});
  count = std::min(count, max_demand_regions);
  columns_.assign(demand_feature_count * stride, 0.0f);
  for (size_t r = 0; r < count; ++r)
    if (!counts_.describe(item, r, time, &columns_[r], stride))
      return;
  score(count);
  for (size_t r = 0; r < count; ++r)
    out[r] = said(item, r, r, time);
}

demand_estimate demand_model::estimate_in(std::string_view item, size_t region, uint32_t time) {
  region = std::min(region, max_demand_regions - 1);
  columns_.assign(demand_feature_count * stride, 0.0f);
  if (!counts_.describe(item, region, time, columns_.data(), stride))
    return {};
  score(1);
  return said(item, region, 0, time);
}

void demand_model::adopt(demand_parts parts) {
  parts_ = std::move(parts);
  tracked_.rescore([&](const auto& features, auto& logits) { score_demand(parts_, features.data(), logits.data()); });
}

void demand_model::track(std::string_view item, size_t region, size_t column, uint32_t time) {
  if (tracked_.full())
    return;
  std::vector<float> logits, features;
  for (size_t h = 0; h < demand_horizons.size(); ++h)
    logits.push_back(logits_[h * stride + column]);
  for (size_t f = 0; f < demand_feature_count; ++f)
    features.push_back(columns_[f * stride + column]);
  tracked_.add(key_of(item, region), time, std::move(logits), std::move(features));
}

} // namespace gnomon::learning

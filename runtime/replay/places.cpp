#include "runtime/replay/places.hpp"

#include <array>

namespace gnomon::replay {

namespace {

struct named_place {
  std::string_view name;
  place where;
};

// Amazon's regions as of 2025, at the city or county that their operator names.
constexpr std::array<named_place, 32> cloud_regions{{
    {"af-south-1", {-33.9249, 18.4241}},      {"ap-east-1", {22.3193, 114.1694}},
    {"ap-northeast-1", {35.6762, 139.6503}},  {"ap-northeast-2", {37.5665, 126.978}},
    {"ap-northeast-3", {34.6937, 135.5023}},  {"ap-south-1", {19.076, 72.8777}},
    {"ap-south-2", {17.385, 78.4867}},        {"ap-southeast-1", {1.3521, 103.8198}},
    {"ap-southeast-2", {-33.8688, 151.2093}}, {"ap-southeast-3", {-6.2088, 106.8456}},
    {"ap-southeast-4", {-37.8136, 144.9631}}, {"ap-southeast-5", {3.139, 101.6869}},
    {"ap-southeast-7", {13.7563, 100.5018}},  {"ca-central-1", {43.6532, -79.3832}},
    {"ca-west-1", {51.0447, -114.0719}},      {"eu-central-1", {50.1109, 8.6821}},
    {"eu-central-2", {47.3769, 8.5417}},      {"eu-north-1", {59.3293, 18.0686}},
    {"eu-south-1", {45.4642, 9.19}},          {"eu-south-2", {40.4168, -3.7038}},
    {"eu-west-1", {53.3498, -6.2603}},        {"eu-west-2", {51.5074, -0.1278}},
    {"eu-west-3", {48.8566, 2.3522}},         {"il-central-1", {32.0853, 34.7818}},
    {"me-central-1", {25.2048, 55.2708}},     {"me-south-1", {26.2285, 50.586}},
    {"mx-central-1", {19.4326, -99.1332}},    {"sa-east-1", {-23.5558, -46.6396}},
    {"us-east-1", {39.0458, -77.4874}},       {"us-east-2", {39.9612, -82.9988}},
    {"us-west-1", {37.7749, -122.4194}},      {"us-west-2", {45.5152, -122.6784}},
}};

} // namespace

std::optional<place> place_of(std::string_view region) {
  for (const auto& known : cloud_regions)
    if (known.name == region)
      return known.where;
  return std::nullopt;
}

std::optional<size_t> home_of(std::string_view region, const std::vector<cluster_region>& cluster) {
  for (size_t i = 0; i < cluster.size(); ++i)
    if (cluster[i].name == region)
      return i;
  auto from = place_of(region);
  std::optional<size_t> nearest;
  double nearest_km = 0;
  for (size_t i = 0; from && i < cluster.size(); ++i) {
    if (!cluster[i].where)
      continue;
    auto km = great_circle_km(*from, *cluster[i].where);
    if (!nearest || km < nearest_km) {
      nearest = i;
      nearest_km = km;
    }
  }
  return nearest;
}

} // namespace gnomon::replay

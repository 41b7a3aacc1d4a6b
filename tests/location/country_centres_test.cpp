#define CAF_SUITE country_centres
#include "runtime/location/country_centres.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <string>

using namespace gnomon;

namespace {

double km_between(std::string_view country, place where) {
  return great_circle_km(*country_centre(country), where);
}

} // namespace

CAF_TEST(every_country_of_iso_3166_has_a_centre_on_the_earth) {
  int known = 0;
  for (char a = 'A'; a <= 'Z'; ++a)
    for (char b = 'A'; b <= 'Z'; ++b)
      if (auto at = country_centre(std::string{a, b})) {
        ++known;
        CAF_CHECK(std::abs(at->latitude) <= 90 && std::abs(at->longitude) <= 180);
      }
  CAF_CHECK_EQUAL(known, 250); // 249 codes, and XK
}

CAF_TEST(the_centre_is_where_people_live) {
  CAF_CHECK(km_between("SG", {1.35, 103.82}) < 10);
  CAF_CHECK(km_between("AU", {-33.87, 151.21}) < 300); // Sydney, not the desert
  CAF_CHECK(km_between("RU", {55.76, 37.62}) < 500);   // Moscow, not Siberia
  CAF_CHECK(km_between("DE", {50.5, 10}) < 200);
  CAF_CHECK(km_between("FJ", {-18.14, 178.44}) < 200); // beside the date line
}

CAF_TEST(what_is_no_country_has_no_centre) {
  for (auto bad : {"", "D", "de", "DEU", "ZZ", "A1", "\xff\xff", "EU"})
    CAF_CHECK(!country_centre(bad));
}

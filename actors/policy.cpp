#include "actors/policy.hpp"

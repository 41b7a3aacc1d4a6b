#include "actors/read_index.hpp"

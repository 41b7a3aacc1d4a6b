#include "storage/versions.hpp"

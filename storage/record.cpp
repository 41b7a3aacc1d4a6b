#include "storage/record.hpp"

"""Files, trees and compartments; knows nothing of voltages."""

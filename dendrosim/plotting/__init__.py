"""Figures from results; nothing computes here."""

"""TFLite files: conversion, inspection, and what each target takes of them."""
